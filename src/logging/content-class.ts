import { z } from "zod";

/** What kinds of content a record can hold, each with one line for people. `redact_classes` names them. */
export const contentClasses = {
  messages: "Texts of the conversation and of the answer, and request parameters that are text.",
  system_prompt: "Messages of the roles system and developer.",
  tool_schemas: "Descriptions and parameters of tools, and the response format; kinds and names stay.",
  tool_arguments: "What the model passes to tools; names and ids stay.",
  tool_results: "What tools answered.",
  reasoning: "Reasoning and thinking of the model.",
  refusals: "The words with which the model refused.",
  images: "Images, sent or made, and their addresses.",
  audio: "Audio, sent or made, and its transcript.",
  file_names: "Files in messages: names, ids and contents.",
  embedding_input: "What was embedded, and the vectors.",
  logprobs: "Log probabilities, which spell the answer out.",
  error_text: "Error texts, which may quote the prompt; code and class stay.",
  user_metadata: "Values of the client's metadata; ids and names of traces, sessions and generations stay.",
  tags: "Tags of requests, keys and teams.",
  headers: "What is copied from the client's headers and connection: user agent and address.",
  url_parameters: "Queries and fragments of addresses.",
} as const;

/** One kind of content. */
export const ContentClass = z.enum([
  "messages",
  "system_prompt",
  "tool_schemas",
  "tool_arguments",
  "tool_results",
  "reasoning",
  "refusals",
  "images",
  "audio",
  "file_names",
  "embedding_input",
  "logprobs",
  "error_text",
  "user_metadata",
  "tags",
  "headers",
  "url_parameters",
]) satisfies z.ZodType<keyof typeof contentClasses>;
export type ContentClass = z.output<typeof ContentClass>;
