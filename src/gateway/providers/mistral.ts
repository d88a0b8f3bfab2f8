import { openai } from "#gateway/providers/openai.ts";
import type { Provider } from "#gateway/providers/provider.ts";
import type { JsonObject } from "#logging/record.ts";

/** Mistral: OpenAI's wire with other names of two fields, and with the usage of a stream in its last chunk, unasked. */
export const mistral: Provider = {
  ...openai,
  name: "mistral",
  apiBase: "https://api.mistral.ai/v1",
  exceptionName: "MistralException",
  streamUsage: () => "unasked",
  send: (call) => openai.send(call.operation.name === "chat" ? { ...call, body: rename(call.body) } : call),
};

const ownNames = new Map([
  ["max_completion_tokens", "max_tokens"],
  ["seed", "random_seed"],
]);

/**
 * What Mistral calls fields of OpenAI's chat, and refuses under their own names. A request that has both names of one is
 * Mistral's to refuse. https://docs.mistral.ai/api/endpoint/chat
 */
function rename(body: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      const own = ownNames.get(name);
      return [own === undefined || Object.hasOwn(body, own) ? name : own, value];
    }),
  );
}
