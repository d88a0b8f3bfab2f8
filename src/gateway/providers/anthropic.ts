import { sendJson } from "#gateway/providers/openai.ts";
import type { Provider } from "#gateway/providers/provider.ts";

/** The version of the API whose answers the gateway reads; a client may name another. */
const versionDefault = "2023-06-01";

/** Anthropic's own API: `/v1/messages` passes through as it is. */
export const anthropic: Provider = {
  name: "anthropic",
  apiBase: "https://api.anthropic.com",
  exceptionName: "AnthropicException",
  takes: ({ name }) => name === "messages",
  send(call) {
    const { deployment, headers } = call;
    const beta = headers.get("anthropic-beta");
    return sendJson(`${withoutVersion(deployment.apiBase ?? "")}/v1/messages`, call, {
      "anthropic-version": headers.get("anthropic-version") ?? versionDefault,
      ...(beta === null ? {} : { "anthropic-beta": beta }),
      ...(deployment.apiKey === null ? {} : { "x-api-key": deployment.apiKey }),
    });
  },
};

/** An API base is written with and without the version's path. */
function withoutVersion(apiBase: string): string {
  return apiBase.replace(/\/v1$/, "");
}
