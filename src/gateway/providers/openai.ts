import type { Provider } from "#gateway/providers/provider.ts";
import { fetchUpstream } from "#lib/fetch-upstream.ts";

/** OpenAI, and every server that speaks its wire: the answer's bytes are passed on as they are. */
export const openai: Provider = {
  name: "openai",
  apiBase: "https://api.openai.com/v1",
  exceptionName: "OpenAIException",
  send: ({ deployment, path, body, timeoutMs }) =>
    fetchUpstream(`${deployment.apiBase ?? ""}${path}`, {
      method: "POST",
      reach: "operator",
      headers: {
        "content-type": "application/json",
        ...(deployment.apiKey === null ? {} : { authorization: `Bearer ${deployment.apiKey}` }),
      },
      body: JSON.stringify(body),
      headersTimeoutMs: timeoutMs,
      bodyTimeoutMs: timeoutMs,
    }),
};
