import type { Provider, ProviderAnswer, ProviderCall } from "#gateway/providers/provider.ts";
import { toUpstreamForm } from "#gateway/request-form.ts";
import { fetchUpstream } from "#lib/fetch-upstream.ts";

/** OpenAI, and every server that speaks its wire: the answer's bytes are passed on as they are. */
export const openai: Provider = {
  name: "openai",
  apiBase: "https://api.openai.com/v1",
  exceptionName: "OpenAIException",
  takes: ({ name }) => name !== "messages",
  send(call) {
    const { deployment, operation } = call;
    const url = `${deployment.apiBase ?? ""}${operation.path}`;
    return sendJson(url, call, deployment.apiKey === null ? {} : { authorization: `Bearer ${deployment.apiKey}` });
  },
};

/** A vendor with OpenAI's wire at an address of its own; null: config.yaml must name it. */
export function openaiCompatible(name: string, apiBase: string | null, exceptionName: string): Provider {
  return { ...openai, name, apiBase, exceptionName };
}

/** Posts a call's body, or its form, and resolves with whatever was answered. */
export async function sendJson(
  url: string,
  { body, form, signal, timeoutMs, totalTimeoutMs }: ProviderCall,
  headers: Readonly<Record<string, string>>,
): Promise<ProviderAnswer> {
  const { contentType, bytes } =
    form === null
      ? { contentType: "application/json", bytes: JSON.stringify(body) }
      : await encodeForm(toUpstreamForm(form, body));
  return fetchUpstream(url, {
    method: "POST",
    reach: "operator",
    headers: { "content-type": contentType, ...headers },
    body: bytes,
    signal,
    headersTimeoutMs: timeoutMs,
    bodyTimeoutMs: timeoutMs,
    totalTimeoutMs,
  });
}

async function encodeForm(form: FormData): Promise<{ contentType: string; bytes: Uint8Array }> {
  const encoded = new Response(form);
  return {
    contentType: encoded.headers.get("content-type") ?? "multipart/form-data",
    bytes: new Uint8Array(await encoded.arrayBuffer()),
  };
}
