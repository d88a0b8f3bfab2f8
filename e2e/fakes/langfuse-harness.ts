import { afterEach } from "vitest";
import { z } from "zod";
import { startFakeLangfuse } from "./langfuse.ts";
import type { FakeLangfuse } from "./langfuse.ts";
import type { FakeLangfuseOptions } from "./langfuse-api.ts";

/** What the tests of the fake Langfuse share. */

/** Two projects of one server. */
export const red = { id: "red", name: "Red team", publicKey: "pk-lf-red", secretKey: "sk-lf-red" };
export const blue = { id: "blue", name: "Blue team", publicKey: "pk-lf-blue", secretKey: "sk-lf-blue" };
/** The two ways in. */
export const traces = "/api/public/otel/v1/traces";
export const batch = "/api/public/ingestion";

const running: FakeLangfuse[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((fake) => fake.close()));
});

/** Starts a fake with both projects and an organization's key; it is closed after the test. */
export async function start(options: FakeLangfuseOptions = {}): Promise<FakeLangfuse> {
  const organizationKeys = [{ publicKey: "pk-lf-org", secretKey: "sk-lf-org" }];
  const fake = await startFakeLangfuse({ projects: [red, blue], organizationKeys, ...options });
  running.push(fake);
  return fake;
}

/** A Basic `Authorization` header. */
export function basic(publicKey: string, secretKey: string): string {
  return `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString("base64")}`;
}

/** What to send. */
export type Sent = { body?: unknown; raw?: Blob; headers?: Record<string, string>; method?: string };

/** What an answer may hold. */
const Answer = z.looseObject({
  error: z.string().optional(),
  successes: z.array(z.unknown()).optional(),
  errors: z.array(z.unknown()).optional(),
  data: z.array(z.unknown()).optional(),
  spans: z.array(z.unknown()).optional(),
});

/** Sends JSON (or raw bytes) with red's keys unless told otherwise. */
export async function send(fake: FakeLangfuse, path: string, { body, raw, headers = {}, method = "POST" }: Sent = {}) {
  const response = await fetch(fake.url + path, {
    method,
    headers: {
      authorization: basic(red.publicKey, red.secretKey),
      "content-type": "application/json",
      ...headers,
    },
    ...(method === "GET" ? {} : { body: raw ?? JSON.stringify(body ?? {}) }),
  });
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  const answered = type.includes("json") ? Answer.parse(JSON.parse(text)) : {};
  return { status: response.status, headers: response.headers, body: answered };
}

/** A text attribute of a span. */
export function attribute(key: string, stringValue: string) {
  return { key, value: { stringValue } };
}

/** A span that is right in every respect. */
export const goodSpan = {
  traceId: "9b1827db64ae47e496f6531c84f2fdc8",
  spanId: "5ef215193c8e48c4",
  name: "litellm-acompletion",
  kind: 3,
  startTimeUnixNano: "1737247356203439000",
  endTimeUnixNano: "1737247356462638000",
  status: { code: 0 },
  attributes: [
    attribute("langfuse.observation.type", "generation"),
    attribute("langfuse.trace.name", "my trace"),
    attribute("session.id", "session-1"),
    attribute("user.id", "user-id2"),
    { key: "langfuse.trace.tags", value: { arrayValue: { values: [{ stringValue: "tag1" }, { stringValue: "b" }] } } },
    attribute("langfuse.environment", "production"),
    attribute("langfuse.observation.model.name", "gpt-4o"),
    attribute("langfuse.observation.model.parameters", '{"stream":true,"temperature":0.2}'),
    attribute("langfuse.observation.input", '{"messages":[{"role":"user","content":"Hello!"}]}'),
    attribute("langfuse.observation.output", '{"role":"assistant","content":"Hi"}'),
    attribute("langfuse.observation.usage_details", '{"input":7,"output":4,"total":11,"half":0.5}'),
    attribute("langfuse.observation.cost_details", '{"total":0.0000245}'),
    attribute("langfuse.observation.completion_start_time", "2025-01-19T00:42:36.455Z"),
    attribute("langfuse.observation.metadata.litellm_call_id", "call-1"),
    { key: "langfuse.observation.metadata.retries", value: { intValue: "2" } },
  ],
};

/** An export request with these spans. */
export function exportOf(...spans: unknown[]) {
  const resource = { attributes: [attribute("service.name", "gateway")] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "gateway", version: "1" }, spans }] }] };
}

/** What the server says about credentials that it does not know. */
export const confirmHost = "Invalid credentials. Confirm that you've configured the correct host.";
