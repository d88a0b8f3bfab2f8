import { lastEventWire, toEventErrorFrame } from "#gateway/event-stream.ts";
import { asUserMessage, callBody, given, readAnyAnswer, type Operation } from "#gateway/operation.ts";
import { describeFiles } from "#gateway/request-form.ts";
import { makeBytesCopy, makeStreamCopy } from "#gateway/stream-copy.ts";
import type { Json } from "#logging/record.ts";

/** `/v1/audio/speech`: the answer is sound, passed on as it comes. */
export const speech: Operation = {
  name: "speech",
  routeClass: "openai",
  callType: "aspeech",
  path: "/audio/speech",
  describe: {
    summary: "Speak a text",
    example: { model: "gpt-4o-mini-tts", input: "Hello", voice: "alloy" },
    contentType: "audio/mpeg",
  },
  body: callBody({ input: given("an input") }),
  readInput: ({ input, instructions }) =>
    typeof instructions === "string"
      ? {
          messages: [
            { role: "system", content: instructions },
            { role: "user", content: input ?? "" },
          ],
        }
      : asUserMessage(input),
  parameters: ["voice", "response_format", "speed", "stream_format"],
  makeCopy: ({ contentType }) =>
    contentType.startsWith("text/event-stream") ? makeStreamCopy(lastEventWire, false) : makeBytesCopy(contentType),
  toErrorFrame: () => null,
  readAnswer: readAnyAnswer,
};

/** `/v1/audio/transcriptions`, a form with a recording in it. */
export const transcription: Operation = {
  name: "transcription",
  routeClass: "openai",
  callType: "atranscription",
  path: "/audio/transcriptions",
  describe: {
    summary: "Write down a recording",
    example: { model: "gpt-4o-transcribe", file: { filename: "speech.wav" } },
    stream: "Events in OpenAI's shape; the last is `transcript.text.done`.",
  },
  body: callBody({ file: given("a file") }),
  readInput(body) {
    const hint: Json[] = body.prompt === undefined ? [] : [{ type: "text", text: body.prompt }];
    return asUserMessage([...describeFiles(body), ...hint]);
  },
  parameters: ["language", "response_format", "temperature", "timestamp_granularities[]", "stream"],
  makeCopy: ({ contentType }) =>
    contentType.startsWith("text/event-stream") ? makeStreamCopy(lastEventWire, false) : null,
  toErrorFrame: toEventErrorFrame,
  readAnswer: readAnyAnswer,
};

/** `/v1/audio/translations`: a transcription in English. */
export const translation: Operation = {
  ...transcription,
  name: "translation",
  routeClass: "openai",
  callType: "atranslation",
  path: "/audio/translations",
  describe: { ...transcription.describe, summary: "Write down a recording in English" },
};
