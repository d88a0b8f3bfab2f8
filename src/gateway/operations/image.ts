import { lastEventWire, toEventErrorFrame } from "#gateway/event-stream.ts";
import { asUserMessage, callBody, given, readJsonAnswer, streamField, type Operation } from "#gateway/operation.ts";
import { describeFiles } from "#gateway/request-form.ts";
import { makeStreamCopy } from "#gateway/stream-copy.ts";

/** `/v1/images/generations`. */
export const image: Operation = {
  name: "image",
  routeClass: "openai",
  callType: "aimage_generation",
  path: "/images/generations",
  describe: {
    summary: "Draw pictures",
    example: { model: "gpt-image-1", prompt: "A sluice in the morning" },
    stream: "Events in OpenAI's shape; the last is `image_generation.completed`.",
  },
  body: callBody({ prompt: given("a prompt"), stream: streamField }),
  modelSetting: "image_generation_model",
  defaultModel: "dall-e-2",
  readInput: ({ prompt }) => asUserMessage(prompt),
  parameters: [
    ...["n", "size", "quality", "style", "response_format", "background", "moderation", "output_format", "stream"],
    ...["output_compression", "partial_images"],
  ],
  makeCopy: ({ isStream }) => (isStream ? makeStreamCopy(lastEventWire, false) : null),
  toErrorFrame: toEventErrorFrame,
  readAnswer: readJsonAnswer,
};

/** `/v1/images/edits`, a form with pictures in it. */
export const imageEdit: Operation = {
  ...image,
  name: "image_edit",
  routeClass: "openai",
  callType: "aimage_edit",
  path: "/images/edits",
  describe: { summary: "Draw pictures from pictures", example: { model: "gpt-image-1", prompt: "Add a boat" } },
  body: callBody({ prompt: given("a prompt") }),
  readInput: (body) => asUserMessage([...describeFiles(body), { type: "text", text: body.prompt ?? "" }]),
};
