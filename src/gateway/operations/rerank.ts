import { asUserMessage, callBody, given, readJsonAnswer, type Operation } from "#gateway/operation.ts";

/** `/v1/rerank`, in the form that Cohere gave it. */
export const rerank: Operation = {
  name: "rerank",
  routeClass: "openai",
  callType: "arerank",
  path: "/rerank",
  describe: {
    summary: "Order documents by how well they answer a query",
    example: { model: "rerank-v3.5", query: "What is a sluice?", documents: ["A gate.", "A cat."] },
  },
  body: callBody({ query: given("a query"), documents: given("a list of documents") }),
  readInput: ({ query, documents }) => asUserMessage({ query: query ?? "", documents: documents ?? [] }),
  parameters: ["top_n", "return_documents", "max_chunks_per_doc", "max_tokens_per_doc"],
  makeCopy: () => null,
  toErrorFrame: () => null,
  readAnswer: readJsonAnswer,
};
