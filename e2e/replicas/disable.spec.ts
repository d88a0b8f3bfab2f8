import { createPublicKey, verify } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "../rest/admin.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { addLangfuse, ask, askStreamed, deliveriesStatus, expect, makeTeam, test, type Answer } from "./gateways.ts";

const Signed = z.object({
  jws: z.string(),
  statement: z.looseObject({
    suppressed: z.object({ queued_deliveries_removed: z.number(), calls_not_logged: z.number() }),
    gateways: z.array(z.looseObject({ canary: z.string() })),
  }),
});
const Keys = z.object({ keys: z.array(z.record(z.string(), z.string())) });

const fastRetries = { general_settings: { delivery: { retry_min_seconds: 0.2, retry_max_seconds: 0.5 } } };

test("a disable under load has ended everything in three gateways when it returns", async ({ startGateways }) => {
  test.setTimeout(120_000);
  const [team, ofKey] = [makeProject("loaded"), makeProject("loaded-key")];
  const langfuse = await startFakeLangfuse({ projects: [team, ofKey] });
  // Something is always in flight.
  langfuse.setBehaviour({ latencyMs: 300 });
  const sluices = await startGateways(3, { config: fastRetries });
  const [first] = sluices;
  if (!first) throw new Error("Three gateways were asked for.");
  const { teamId, key } = await makeTeam(first, { url: langfuse.url, project: team });
  const callbacks = [{ callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, ofKey) }];
  const keyOfOwn = await makeKey(first, { team_id: teamId, metadata: { logging: callbacks } });

  const stop = new AbortController();
  let isDisabled = false;
  const answers: (Answer & { startedAfter: boolean })[] = [];
  async function askOnAndOn(sluice: SluiceProcess, index: number): Promise<void> {
    for (let call = 0; !stop.signal.aborted; call += 1) {
      const startedAfter = isDisabled;
      const prompt = `${startedAfter ? "after" : "before"}-the-return`;
      const asked = call % 3 === 0 ? askStreamed : ask;
      const answer = await asked(sluice, index % 2 === 0 ? key : keyOfOwn, prompt);
      answers.push({ ...answer, startedAfter });
    }
  }
  const clients = sluices.flatMap((sluice) => [0, 1, 2, 3].map((index) => askOnAndOn(sluice, index)));
  await until("records arrive", () => langfuse.project("loaded").spans.length > 20, 60_000);

  await mustAdmin(first, `/team/${teamId}/disable_logging`, {});
  isDisabled = true;
  // What had left before the return may still be on the way into the fake.
  await sleep(100);
  const requestsThen = [team, ofKey].map(({ id }) => langfuse.project(id).requests);
  await sleep(1_500);
  stop.abort();
  await Promise.all(clients);
  expect([team, ofKey].map(({ id }) => langfuse.project(id).requests)).toEqual(requestsThen);
  const after = answers.filter((answer) => answer.startedAfter);
  expect(after.length).toBeGreaterThan(20);
  expect(new Set(after.map(({ status, receipt }) => `${String(status)} ${receipt}`))).toEqual(
    new Set(["200 disabled"]),
  );
  const arrived = JSON.stringify([team, ofKey].flatMap(({ id }) => langfuse.project(id).spans));
  expect(arrived).toContain("before-the-return");
  expect(arrived).not.toContain("after-the-return");
  // No row of any call is left on any gateway, delivered ones included.
  const recordIds = answers.flatMap(({ recordId }) => recordId ?? []);
  expect(recordIds.length).toBeGreaterThan(20);
  for (const sluice of sluices) {
    const sample = recordIds.filter((_, index) => index % 10 === 0 || index > recordIds.length - 30);
    const statuses = await Promise.all(sample.map((id) => deliveriesStatus(sluice, key, id)));
    expect(new Set(statuses)).toEqual(new Set([404]));
  }

  await checkStatement(sluices, teamId, after.length);

  // Switching it on again holds everywhere as well.
  await addLangfuse(first, teamId, { url: langfuse.url, project: team });
  const again = await Promise.all(sluices.map((sluice) => ask(sluice, key, "on-again")));
  for (const { receipt } of again) expect(receipt).toContain("langfuse=queued");
  await until("all three arrive", () => {
    const spans = langfuse.project("loaded").spans.map((span) => JSON.stringify(span.input));
    return spans.filter((input) => input.includes("on-again")).length === sluices.length;
  });
  await langfuse.close();
});

/** The statement, from any gateway, tells of all of them, and the signature is the published key's. */
async function checkStatement(sluices: SluiceProcess[], teamId: string, callsAfter: number): Promise<void> {
  const [first, ...others] = sluices;
  const last = others.at(-1);
  if (!first || !last) throw new Error("Several gateways were asked for.");
  const path = `/team/${teamId}/disable_logging/statement`;
  const read = async () => Signed.parse(await mustAdmin(last, path));
  // Each gateway adds what it counted every two seconds.
  await until("every call is counted", async () => {
    return (await read()).statement.suppressed.calls_not_logged >= callsAfter;
  });
  const { statement, jws } = await read();
  expect(statement.gateways.map(({ canary }) => canary)).toEqual(sluices.map(() => "refused"));
  expect(statement).toMatchObject({ gateways_lapsed: [], self_test: { passed: true } });
  const { keys } = Keys.parse(await mustAdmin(first, "/v1/logging/statement_keys"));
  const [header = "", payload = "", signature = ""] = jws.split(".");
  const [key = {}] = keys;
  const publicKey = createPublicKey({ key, format: "jwk" });
  const signed = Buffer.from(`${header}.${payload}`);
  expect(verify(null, signed, publicKey, Buffer.from(signature, "base64url"))).toBe(true);
  expect(JSON.parse(Buffer.from(payload, "base64url").toString("utf8"))).toEqual(statement);
}

test("a disable waits for the lease of a gateway that was killed, whose queue is empty when it is back", async ({
  startGateways,
}) => {
  test.setTimeout(120_000);
  const project = makeProject("killed");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  langfuse.setBehaviour({ status: 503 });
  const [one, killed] = await startGateways(2, { config: fastRetries });
  if (!one || !killed) throw new Error("Two gateways were asked for.");
  const { teamId } = await makeTeam(one, { url: langfuse.url, project });
  // The callbacks of a key outlive the disable of its team.
  const callbacks = [{ callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) }];
  const key = await makeKey(one, { team_id: teamId, metadata: { logging: callbacks } });
  const queued = await ask(killed, key, "before-the-kill");
  expect(queued.receipt).toContain("langfuse=queued");
  await killed.kill();

  const startedMs = performance.now();
  await mustAdmin(one, `/team/${teamId}/disable_logging`, {});
  expect(performance.now() - startedMs, "longer than a lease").toBeLessThan(8_000);
  // On again before the other one is back: it must not take its old records for new ones.
  await addLangfuse(one, teamId, { url: langfuse.url, project });
  langfuse.setBehaviour({});
  await killed.restart();
  expect(await deliveriesStatus(killed, key, queued.recordId ?? "")).toBe(404);
  await ask(killed, key, "after-the-restart");
  await until("the new record arrives", () => langfuse.project("killed").spans.length > 0);
  await sleep(1_000);
  const inputs = langfuse.project("killed").spans.map((span) => JSON.stringify(span.input));
  expect(inputs).toHaveLength(1);
  expect(inputs[0]).toContain("after-the-restart");
  await langfuse.close();
});

test("a gateway that stood still during a disable sends nothing when it goes on", async ({ startGateways }) => {
  test.setTimeout(120_000);
  const project = makeProject("still");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  langfuse.setBehaviour({ status: 503 });
  const [one, still] = await startGateways(2, { config: fastRetries });
  if (!one || !still) throw new Error("Two gateways were asked for.");
  const { teamId, key } = await makeTeam(one, { url: langfuse.url, project });
  const queued: Answer[] = [];
  for (let call = 0; call < 10; call += 1) queued.push(await ask(still, key, "before-the-stop"));
  expect(queued.at(-1)?.receipt).toContain("langfuse=queued");
  still.signal("SIGSTOP");
  try {
    await mustAdmin(one, `/team/${teamId}/disable_logging`, {});
    langfuse.setBehaviour({});
    langfuse.reset();
  } finally {
    still.signal("SIGCONT");
  }
  await until("it has caught up", async () => (await ask(still, key, "after")).receipt === "disabled", 5_000);
  await sleep(1_000);
  expect(langfuse.project("still").requests).toBe(0);
  for (const { recordId } of queued) expect(await deliveriesStatus(still, key, recordId ?? "")).toBe(404);
  await langfuse.close();
});

test("a deleted team leaves nothing in the other gateway either", async ({ startGateways }) => {
  const project = makeProject("deleted");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  langfuse.setBehaviour({ status: 503 });
  const [one, other] = await startGateways(2, { config: fastRetries });
  if (!one || !other) throw new Error("Two gateways were asked for.");
  const { teamId, key } = await makeTeam(one, { url: langfuse.url, project });
  const queued = await ask(other, key, "before-the-deletion");
  expect(queued.receipt).toContain("langfuse=queued");
  await mustAdmin(one, "/team/delete", { team_ids: [teamId] });
  langfuse.setBehaviour({});
  langfuse.reset();
  expect((await ask(other, key, "after")).status).toBe(401);
  await sleep(1_500);
  expect(langfuse.project("deleted").requests).toBe(0);
  await langfuse.close();
});
