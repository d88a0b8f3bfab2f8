import { startScriptedUpstream, scriptedWords, type ScriptedUpstream } from "../fakes/scripted-upstream.ts";
import { startFakeWebhook, type FakeWebhook } from "../fakes/webhook.ts";
import { expect, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, makeKey, mustAdmin, until } from "./admin.ts";

/** About 250 tokens, so that the prompt alone costs a quarter of a dollar. */
const prompt = "word ".repeat(200);
const scripts = ["ends", "breaks", "hangs", "fails", "uncounted"] as const;

function configFor(upstream: ScriptedUpstream): Record<string, unknown> {
  const prices = { input_cost_per_token: 0.001, output_cost_per_token: 0.002, api_key: "sk-fake" };
  const model = (provider: string, api_base: string, script: string): object => ({
    model_name: `${provider}-${script}`,
    litellm_params: { model: `${provider}/${script}`, api_base, ...prices },
  });
  return {
    model_list: scripts.flatMap((script) => [
      model("openai", upstream.baseUrl, script),
      model("anthropic", upstream.url, script),
    ]),
  };
}

const bodies: Record<string, object> = {
  "/v1/chat/completions": { messages: [{ role: "user", content: prompt }] },
  "/v1/completions": { prompt },
  "/v1/responses": { input: prompt },
  "/v1/messages": { max_tokens: 1, messages: [{ role: "user", content: prompt }] },
};

type Asked = { path?: string; script: (typeof scripts)[number]; fields?: object };

/** Asks for a stream, and leaves a hanging one after its first words. */
async function ask(sluice: SluiceProcess, key: string, asked: Asked): Promise<{ status: number; text: string }> {
  const { path = "/v1/chat/completions", script, fields = {} } = asked;
  const leaving = new AbortController();
  const model = `${path === "/v1/messages" ? "anthropic" : "openai"}-${script}`;
  const answer = await fetch(`${sluice.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, ...bodies[path], ...fields }),
    signal: leaving.signal,
  });
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const piece of answer.body ?? []) {
      text += decoder.decode(piece, { stream: true });
      if (script === "hangs" && text.includes(scriptedWords)) leaving.abort();
    }
  } catch {
    // The client left.
  }
  return { status: answer.status, text };
}

async function spendOf(sluice: SluiceProcess, key: string): Promise<number> {
  const { body } = await admin(sluice, `/key/info?key=${key}`);
  const { info } = body;
  return typeof info === "object" && info !== null && "spend" in info ? Number(info.spend) : Number.NaN;
}

async function startLogged(
  startSluice: (options: { config: Record<string, unknown> }) => Promise<SluiceProcess>,
): Promise<{ sluice: SluiceProcess; upstream: ScriptedUpstream; sink: FakeWebhook; close(): Promise<void> }> {
  const [upstream, sink] = [await startScriptedUpstream(), await startFakeWebhook()];
  const sluice = await startSluice({ config: configFor(upstream) });
  await mustAdmin(sluice, "/team/new", { team_id: "cut" });
  for (const callback_type of ["success", "failure"]) {
    const callback = { callback_name: "webhook", callback_type, callback_vars: { webhook_url: sink.url } };
    await mustAdmin(sluice, "/team/cut/callback", callback);
  }
  const close = async (): Promise<void> => {
    await Promise.all([upstream.close(), sink.close()]);
  };
  return { sluice, upstream, sink, close };
}

test("cut and uncounted streams use up a budget: four of fifteen calls pass on one for four", async ({
  startSluice,
}) => {
  test.setTimeout(240_000);
  const { sluice, close } = await startLogged(startSluice);
  for (const script of scripts) {
    const key = await makeKey(sluice, { max_budget: 1 });
    let passed = 0;
    for (let call = 0; call < 15; call += 1) {
      const { status } = await ask(sluice, key, { script, fields: { max_tokens: 1 } });
      if (status !== 200) continue;
      passed += 1;
      await until(`${script}: spend of ${String(passed)}`, async () => (await spendOf(sluice, key)) > passed * 0.25);
    }
    expect(passed, script).toBe(4);
  }
  await close();
});

test("cut streams count against limits of tokens, and so does a client that leaves a whole answer", async ({
  startSluice,
}) => {
  const { sluice, close } = await startLogged(startSluice);
  for (const script of scripts) {
    const key = await makeKey(sluice, { tpm_limit: 100 });
    expect((await ask(sluice, key, { script })).status).toBe(200);
    await until(`${script}: its tokens count`, async () => (await ask(sluice, key, { script })).status === 429);
  }
  const key = await makeKey(sluice, { tpm_limit: 100 });
  const leaving = new AbortController();
  const left = fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "openai-hangs", ...bodies["/v1/chat/completions"] }),
    signal: leaving.signal,
  }).catch(() => undefined);
  setTimeout(() => leaving.abort(), 500);
  await left;
  await until("its prompt counts", async () => (await ask(sluice, key, { script: "uncounted" })).status === 429);
  await close();
});

test("every wire logs a stream that stops with its part, its estimate and its cost", async ({ startSluice }) => {
  test.setTimeout(120_000);
  const { sluice, sink, close } = await startLogged(startSluice);
  const key = await makeKey(sluice, { team_id: "cut" });
  const paths = Object.keys(bodies);
  for (const path of paths) {
    for (const script of scripts) {
      const { status, text } = await ask(sluice, key, { path, script });
      expect(status).toBe(200);
      expect(text).toContain(scriptedWords);
      // An upstream's own error frame passes as it is; a silent end and a break get one of ours.
      if (script === "ends" || script === "breaks") expect(text, `${path} ${script}`).toMatch(/"error"/);
      if (script === "fails") expect(text.match(/the model fell over/g)).toHaveLength(1);
    }
  }
  await until("all arrived", () => sink.records.length >= paths.length * scripts.length);
  const seen = sink.records.map(({ record }) => ({
    kind: `${String(record.call_type)} ${String(record.model)}`,
    status: record.status,
    estimated: record.usage_estimated,
    left: record.client_disconnected,
    hasPart: JSON.stringify(record.response).includes(scriptedWords),
    isCharged: Number(record.response_cost) > 0.25 && Number(record.completion_tokens) >= 5,
  }));
  const callTypes = ["acompletion", "atext_completion", "aresponses", "anthropic_messages"];
  const expected = callTypes.flatMap((callType) =>
    scripts.map((script) => ({
      kind: `${callType} ${script}`,
      status: script === "hangs" || script === "uncounted" ? "success" : "failure",
      estimated: true,
      left: script === "hangs",
      hasPart: true,
      isCharged: true,
    })),
  );
  const byKind = (left: { kind: string }, right: { kind: string }): number => (left.kind < right.kind ? -1 : 1);
  expect(seen.toSorted(byKind)).toEqual(expected.toSorted(byKind));
  await close();
});

test("a whole answer that breaks off, and a 200 with an error in it, are failures that cost the prompt", async ({
  startSluice,
}) => {
  const { sluice, sink, close } = await startLogged(startSluice);
  const key = await makeKey(sluice, { team_id: "cut" });
  const statuses: number[] = [];
  for (const script of ["breaks", "fails"] as const) {
    statuses.push((await ask(sluice, key, { script, fields: { stream: false } })).status);
  }
  // The same between two APIs.
  const between = [
    ["/v1/chat/completions", "anthropic-breaks"],
    ["/v1/messages", "openai-breaks"],
  ] as const;
  for (const [path, model] of between) {
    statuses.push((await ask(sluice, key, { path, script: "breaks", fields: { stream: false, model } })).status);
  }
  expect(statuses).toEqual([500, 200, 500, 500]);
  await until("all arrived", () => sink.records.length >= 4);
  for (const { record } of sink.records) {
    expect(record).toMatchObject({ status: "failure", usage_estimated: true });
    expect(Number(record.response_cost)).toBeGreaterThan(0.25);
  }
  await until("all are spent", async () => (await spendOf(sluice, key)) > 1);
  await close();
});
