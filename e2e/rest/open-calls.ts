import { startFakeWebhook, type FakeWebhook } from "../fakes/webhook.ts";
import { isObject } from "../fakes/fake-server.ts";
import type { Fakes } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, makeKey, mustAdmin, until } from "./admin.ts";

/** What a client got until its connection ended. `isBroken`: it ended without the end of the answer. */
export type CallAnswer = { status: number; receipt: string; text: string; isBroken: boolean };

/** A call whose answer is still awaited. `id` is its call id, which its record has too. */
export type OpenCall = { id: string; soFar(): string; answer: Promise<CallAnswer> };

/** What to ask: a chat unless `path` says otherwise. */
export type Asked = { path?: string; body?: object; form?: FormData; headers?: Record<string, string> };

/** A priced model, so that spend can be compared. Nothing waits long for a destination that was away. */
export function pricedConfig(fakes: Pick<Fakes, "openai">, settings: object = {}): Record<string, unknown> {
  const prices = { input_cost_per_token: 0.001, output_cost_per_token: 0.002 };
  const params = { model: "openai/fake-model", api_base: fakes.openai.baseUrl, api_key: "sk-fake-upstream", ...prices };
  return {
    model_list: [{ model_name: "fake-model", litellm_params: params }],
    general_settings: { delivery: { retry_max_seconds: 1 } },
    ...settings,
  };
}

/** A team with a webhook of its own, and a key of it. */
export type LoggedTeam = { sluice: SluiceProcess; key: string; sink: FakeWebhook };

/** Makes such a team. */
export async function makeLoggedTeam(sluice: SluiceProcess): Promise<LoggedTeam> {
  const sink = await startFakeWebhook();
  await mustAdmin(sluice, "/team/new", { team_id: "stopping" });
  const callback = { callback_name: "webhook", callback_type: "success_and_failure" };
  await mustAdmin(sluice, "/team/stopping/callback", { ...callback, callback_vars: { webhook_url: sink.url } });
  return { sluice, key: await makeKey(sluice, { team_id: "stopping" }), sink };
}

/** Asks, and lets the answer come. */
export function openCall({ sluice, key }: LoggedTeam, id: string, asked: Asked): OpenCall {
  let text = "";
  async function run(): Promise<CallAnswer> {
    const response = await fetch(`${sluice.url}${asked.path ?? "/v1/chat/completions"}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "x-litellm-call-id": id,
        ...(asked.form === undefined ? { "content-type": "application/json" } : {}),
        ...asked.headers,
      },
      body: asked.form ?? JSON.stringify(asked.body),
    });
    const head = { status: response.status, receipt: response.headers.get("x-sluice-log") ?? "" };
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
      return { ...head, text, isBroken: false };
    } catch {
      return { ...head, text, isBroken: true };
    }
  }
  const answer = run();
  // A test may wait for something else first.
  answer.catch(() => undefined);
  return { id, soFar: () => text, answer };
}

/** The body of a chat. */
export function chat(content: string, more: object = {}): object {
  return { model: "fake-model", messages: [{ role: "user", content }], ...more };
}

/** Streams of which half has come, and then nothing more. Resolves when each client has something of it. */
export async function openStreams(team: LoggedTeam, count: number): Promise<OpenCall[]> {
  const calls = Array.from({ length: count }, (_, index) => {
    const id = `stream-${String(index)}`;
    const content = `[[hang-mid-stream]] alpha beta gamma delta epsilon ${id}`;
    return openCall(team, id, { body: chat(content, { stream: true }) });
  });
  await until("every stream has begun", () => calls.every((call) => contentOf(call.soFar()).includes("alpha")));
  return calls;
}

/** The text that the chunks of a chat's stream say. */
export function contentOf(stream: string): string {
  const parts = stream.matchAll(/"content":("(?:[^"\\]|\\.)*")/g);
  return [...parts].map(([, part]) => String(JSON.parse(part ?? '""'))).join("");
}

/** How often each call arrived, by its id. */
export function arrivals(sink: FakeWebhook): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { record } of sink.records) {
    const id = String(record.litellm_call_id);
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

/** Each of these calls once. */
export function onceEach(calls: readonly { id: string }[]): Record<string, number> {
  return Object.fromEntries(calls.map(({ id }) => [id, 1]));
}

/** The record of a call. */
export function recordOf(sink: FakeWebhook, id: string): Record<string, unknown> {
  return sink.records.find(({ record }) => record.litellm_call_id === id)?.record ?? {};
}

/** What a call's record says of the answer, as text. */
export function answerIn(sink: FakeWebhook, id: string): string {
  return JSON.stringify(recordOf(sink, id).response ?? null);
}

/** What all records say that their calls cost. */
export function costOfAll(sink: FakeWebhook): number {
  return sink.records.reduce((sum, { record }) => sum + Number(record.response_cost), 0);
}

/** What the database says that a key has spent. */
export async function spendOf({ sluice, key }: LoggedTeam): Promise<number> {
  const { body } = await admin(sluice, `/key/info?key=${key}`);
  return isObject(body.info) ? Number(body.info.spend) : Number.NaN;
}
