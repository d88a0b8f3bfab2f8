import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterAll, beforeAll } from "vitest";
import { chat } from "#gateway/operations/chat.ts";
import { makeModelTable, type Deployment } from "#gateway/models.ts";
import { findProvider } from "#gateway/providers/index.ts";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import { makeStreamCopy } from "#gateway/stream-copy.ts";
import { chatWire } from "#gateway/chat-stream.ts";
import { parseConfig } from "#lib/config.ts";
import { closeUpstreams, readBody } from "#lib/fetch-upstream.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";
import { question, type Vendor, type VendorCase } from "#testing/vendors/vendor-case.ts";

/** A vendor's server that answers every request with one thing and remembers the last one. */
export type VendorServer = {
  url: string;
  answerWith(upstream: VendorCase["upstream"]): void;
  last(): { path: string; headers: IncomingHttpHeaders; body: JsonObject } | null;
  close(): void;
};

async function startVendorServer(): Promise<VendorServer> {
  let upstream: VendorCase["upstream"] = { status: 500, body: "nothing to answer with" };
  let last: ReturnType<VendorServer["last"]> = null;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      last = { path: request.url ?? "", headers: request.headers, body: isJsonObject(body) ? body : {} };
      const isStream = typeof upstream.body === "string" && /^(event|data)?:/.test(upstream.body);
      const type = isStream ? "text/event-stream" : "application/json";
      response.writeHead(upstream.status ?? 200, { "content-type": type, ...upstream.headers });
      response.end(upstream.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    answerWith: (next) => (upstream = next),
    last: () => last,
    close: () => server.close(),
  };
}

/** One for all tests of a file, started before them and ended after them with our connections to it. */
export function vendorServerOfFile(): Omit<VendorServer, "close"> {
  let started: VendorServer | null = null;
  beforeAll(async () => {
    started = await startVendorServer();
  });
  afterAll(async () => {
    await closeUpstreams();
    started?.close();
  });
  const server = (): VendorServer => {
    if (started === null) throw new Error("The vendor's server runs while there are tests.");
    return started;
  };
  return {
    get url() {
      return server().url;
    },
    answerWith: (upstream) => server().answerWith(upstream),
    last: () => server().last(),
  };
}

/** The one deployment of a vendor whose address is the server's. */
export function toDeployment(vendor: Pick<Vendor, "params">, url: string, more: JsonObject = {}): Deployment {
  const params = { ...vendor.params, api_base: url, ...more };
  const text = JSON.stringify({ model_list: [{ model_name: "m", litellm_params: params }] });
  const [only] = makeModelTable(parseConfig(text, "config.yaml", {}).config).get("m") ?? [];
  if (!only) throw new Error("There is one deployment.");
  return only;
}

/** How long a chat may take, and what ends it. */
export type ChatLimits = { timeoutMs?: number; signal?: AbortSignal };

/** Sends a chat to a deployment, as the gateway does once it has chosen one. */
export async function sendChat(
  deployment: Deployment,
  request: JsonObject,
  { timeoutMs = 5_000, signal }: ChatLimits = {},
): Promise<ProviderAnswer> {
  const provider = findProvider(deployment.provider, deployment.upstreamModel);
  if (!provider) throw new Error(`There is no provider ${deployment.provider}.`);
  return provider.send({
    deployment,
    operation: chat,
    body: { model: deployment.upstreamModel, messages: question, ...request },
    form: null,
    headers: new Headers(),
    signal,
    timeoutMs,
    totalTimeoutMs: timeoutMs * 2,
  });
}

/** An answer read to its end: a whole one, or a stream put together as the log does it. */
export type ReadAnswer = { status: number; body: JsonObject; text: string };

/** Reads an answer; the chunks of a stream as the whole answer that they make up, an error frame as what it says. */
export async function readChat(answer: ProviderAnswer): Promise<ReadAnswer> {
  const bytes = await readBody({ ...answer, headers: {} }, 1_000_000);
  const text = bytes.toString("utf8");
  const { status } = answer;
  if (answer.headers["content-type"]?.startsWith("text/event-stream") !== true || status >= 400) {
    const body: unknown = JSON.parse(text);
    return { status, body: isJsonObject(body) ? body : {}, text };
  }
  const copy = makeStreamCopy(chatWire, false);
  copy.pass(bytes);
  const { response, errorText } = copy.answer();
  const failed: unknown = errorText === null ? null : JSON.parse(errorText);
  return { status, body: isJsonObject(failed) ? failed : (response ?? {}), text };
}
