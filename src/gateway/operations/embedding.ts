import { asUserMessage, callBody, given, readJsonAnswer, type Operation } from "#gateway/operation.ts";

/** `/v1/embeddings`. */
export const embedding: Operation = {
  name: "embedding",
  routeClass: "openai",
  callType: "aembedding",
  path: "/embeddings",
  describe: { summary: "Embed one text or many", example: { model: "text-embedding-3-small", input: ["one", "two"] } },
  body: callBody({ input: given("an input") }),
  modelSetting: "embedding_model",
  readInput: ({ input }) => asUserMessage(input),
  parameters: ["dimensions", "encoding_format"],
  makeCopy: () => null,
  toErrorFrame: () => null,
  readAnswer: readJsonAnswer,
};
