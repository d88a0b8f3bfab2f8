import { isObject, parseJson } from "../fakes/fake-server.ts";
import type { FakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";

/** What a client of the wire saw. `body` is the parsed answer, empty where it is no JSON object. */
export type Answer = { status: number; headers: Headers; text: string; body: Record<string, unknown> };

/** Calls any route as any caller; `key` defaults to the master key, null sends none. */
export async function request(
  sluice: Pick<SluiceProcess, "url" | "masterKey">,
  path: string,
  {
    method,
    key = sluice.masterKey,
    body,
    headers,
  }: { method?: string; key?: string | null; body?: object; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(`${sluice.url}${path}`, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      "content-type": "application/json",
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed = parseJson(text);
  return { status: response.status, headers: response.headers, text, body: isObject(parsed) ? parsed : {} };
}

/** One chat completion; `receipt` is what the answer says of its log. */
export async function ask(
  sluice: SluiceProcess,
  key: string,
  {
    content,
    headers = {},
    ...more
  }: { content: string; headers?: Record<string, string> } & Readonly<Record<string, unknown>>,
): Promise<Answer & { receipt: string }> {
  const body = { model: "fake-model", messages: [{ role: "user", content }], ...more };
  const answer = await request(sluice, "/v1/chat/completions", { key, body, headers });
  return { ...answer, receipt: answer.headers.get("x-sluice-log") ?? "" };
}

/** The prompts that arrived in a project, sorted, each as often as it came. */
export function promptsAt(langfuse: FakeLangfuse, projectId: string): string[] {
  return langfuse
    .project(projectId)
    .spans.flatMap((span) => {
      const prompt = /"content":"([^"]*)"/.exec(JSON.stringify(span.input))?.[1] ?? "no prompt";
      return Array.from({ length: span.receivedCount }, () => prompt);
    })
    .toSorted();
}
