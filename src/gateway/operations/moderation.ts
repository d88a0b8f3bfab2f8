import { asUserMessage, callBody, given, readJsonAnswer, type Operation } from "#gateway/operation.ts";

/** `/v1/moderations`. */
export const moderation: Operation = {
  name: "moderation",
  routeClass: "openai",
  callType: "amoderation",
  path: "/moderations",
  describe: {
    summary: "Judge whether a text or a picture is harmful",
    example: { model: "omni-moderation-latest", input: "Hello" },
  },
  body: callBody({ input: given("an input") }),
  modelSetting: "moderation_model",
  defaultModel: "omni-moderation-latest",
  readInput: ({ input }) => asUserMessage(input),
  parameters: [],
  makeCopy: () => null,
  toErrorFrame: () => null,
  readAnswer: readJsonAnswer,
};
