import { expect, test } from "vitest";
import { chat } from "#gateway/operations/chat.ts";
import { image } from "#gateway/operations/image.ts";
import { messages } from "#gateway/operations/messages.ts";
import { noAnswer, settleUnits, settleUsage } from "#gateway/settle-usage.ts";
import { redact } from "#logging/redact.ts";
import { makeRecord } from "#testing/make-record.ts";

const body = { messages: [{ role: "user", content: "x".repeat(400) }] };
const answer = (content: string) => ({ choices: [{ index: 0, message: { role: "assistant", content } }] });

test("an upstream's final counts are taken as they are", () => {
  const usage = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };
  const settled = settleUsage(
    { operation: chat, body },
    { response: answer("y".repeat(400)), usage, isWhole: false, isUsageFinal: true },
  );
  expect(settled).toMatchObject({ promptTokens: 7, completionTokens: 2, totalTokens: 9 });
  expect(settled.isEstimated).toBeUndefined();
});

test("counts of a part are completed by what came: the known prompt, and the larger answer", () => {
  const response = { content: [{ type: "text", text: "y".repeat(400) }] };
  const usage = { input_tokens: 7, cache_read_input_tokens: 3, output_tokens: 1 };
  const cut = { response, usage, isWhole: false, isUsageFinal: false };
  expect(settleUsage({ operation: messages, body }, cut)).toMatchObject({
    ...{ promptTokens: 10, cacheReadTokens: 3, completionTokens: 100, totalTokens: 110, isEstimated: true },
  });
});

test("text, reasoning, refusals and arguments of tools count; ids and names of fields do not", () => {
  const text = "z".repeat(40);
  const message = {
    ...{ role: "assistant", content: text, reasoning_content: text, refusal: text },
    tool_calls: [{ id: "call_".repeat(50), type: "function", function: { arguments: text } }],
  };
  const response = { choices: [{ index: 0, message, finish_reason: null }] };
  const cut = { ...noAnswer, response };
  expect(settleUsage({ operation: chat, body }, cut).completionTokens).toBe(40);
});

test("a picture in a prompt is no text of its encoded length", () => {
  const url = `data:image/png;base64,${"A".repeat(1_000_000)}`;
  const picture = { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] };
  expect(settleUsage({ operation: chat, body: picture }, noAnswer).promptTokens).toBeLessThan(1_700);
});

test.each([1e9, "1e9", 1e308])("a client that asks for %s pictures and leaves is charged for ten at most", (n) => {
  const asked = { operation: image, body: { prompt: "a cat", n } };
  expect(settleUnits(asked, { response: null, seconds: 1, isWhole: false }).images).toBeLessThanOrEqual(10);
  expect(settleUsage(asked, noAnswer).completionTokens).toBeLessThanOrEqual(10 * 1_056);
});

test.each(["off", "content", "metadata_only"] as const)("that usage is estimated survives redaction %s", (level) => {
  const record = makeRecord();
  const estimated = { ...record, usage: { ...record.usage, isEstimated: true as const } };
  expect(redact(estimated, level, { keepMetadata: [] }).usage.isEstimated).toBe(true);
});
