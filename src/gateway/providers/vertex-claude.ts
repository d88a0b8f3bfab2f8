import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Deployment } from "#gateway/models.ts";
import { sendJson } from "#gateway/providers/openai.ts";
import type { Provider, ProviderCall } from "#gateway/providers/provider.ts";
import { findVertexToken, locateVertex } from "#gateway/providers/vertex-account.ts";
import { anthropicWords } from "#gateway/translation/anthropic-words.ts";
import type { VendorWords } from "#gateway/translation/chat-options.ts";
import type { ProviderFetch } from "#gateway/translation/provider-fetch.ts";
import { translateChat } from "#gateway/translation/translate-chat.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";

/** What the body says instead of the header `anthropic-version`. */
const version = "vertex-2023-10-16";

/**
 * Claude on Google Cloud's Vertex AI: Anthropic's Messages API, with the model in the path and the version in the body.
 * `/v1/messages` passes through, chats of OpenAI's wire are translated.
 * https://docs.anthropic.com/en/api/claude-on-vertex-ai
 */
export const vertexClaude: Provider = {
  name: "vertex_ai",
  apiBase: null,
  exceptionName: "VertexAIException",
  translates: true,
  takes: ({ name }) => name === "messages" || name === "chat",
  locate({ vendorParams }) {
    const located = locateVertex(vendorParams);
    return "problem" in located ? located : { apiBase: `${located.location}/publishers/anthropic/models` };
  },
  async send(call) {
    const { deployment, headers, operation, signal } = call;
    const token = await findVertexToken(deployment, signal);
    if (operation.name === "chat") {
      return translateChat(call, { words, makeModel: (asked, fetch) => makeModel(asked, withToken(fetch, token)) });
    }
    const beta = headers.get("anthropic-beta");
    return sendJson(
      toUrl(deployment, call.body),
      { ...call, body: toVertexBody(call.body) },
      { authorization: `Bearer ${token}`, ...(beta === null ? {} : { "anthropic-beta": beta }) },
    );
  },
};

const claudeWords = anthropicWords("vertex_ai");

const words: VendorWords = {
  ...claudeWords,
  // Claude fetches nothing there: https://docs.anthropic.com/en/docs/build-with-claude/vision
  fetches: () => false,
  options(request) {
    const { anthropic = {} } = claudeWords.options(request);
    // Structured outputs are not there for each model; a tool is.
    return { anthropic: request.response_format ? { ...anthropic, structuredOutputMode: "jsonTool" } : anthropic };
  },
};

/** The library speaks to Anthropic itself; what differs is changed on the way out. */
async function makeModel({ deployment, headers }: ProviderCall, fetch: ProviderFetch): Promise<LanguageModelV4> {
  const { createAnthropic } = await import("@ai-sdk/anthropic");
  const beta = headers.get("anthropic-beta");
  const toVertex: ProviderFetch = (_input, init) => {
    const parsed: unknown = typeof init?.body === "string" ? JSON.parse(init.body) : {};
    const body = isJsonObject(parsed) ? parsed : {};
    return fetch(toUrl(deployment, body), { ...init, body: JSON.stringify(toVertexBody(body)) });
  };
  const provider = createAnthropic({
    // A text keeps the library from looking into the environment; an empty header is not sent.
    apiKey: "",
    fetch: toVertex,
    ...(beta === null ? {} : { headers: { "anthropic-beta": beta } }),
  });
  return provider(deployment.upstreamModel);
}

function withToken(fetch: ProviderFetch, token: string): ProviderFetch {
  return (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("authorization", `Bearer ${token}`);
    headers.delete("anthropic-version");
    return fetch(input, { ...init, headers });
  };
}

function toUrl({ apiBase, upstreamModel }: Deployment, { stream }: JsonObject): string {
  return `${apiBase ?? ""}/${encodeURI(upstreamModel)}:${stream === true ? "streamRawPredict" : "rawPredict"}`;
}

function toVertexBody({ model: _model, ...body }: JsonObject): JsonObject {
  return { anthropic_version: version, ...body };
}
