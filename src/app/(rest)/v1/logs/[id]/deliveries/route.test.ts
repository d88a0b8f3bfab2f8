import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GET } from "#app/(rest)/v1/logs/[id]/deliveries/route.ts";
import { newRecordId } from "#lib/id.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import { deliveryState } from "#logging/delivery.ts";
import type { Queue } from "#logging/queue/queue.ts";
import { keyringState } from "#lib/seal.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";
import { makeTestDelivery } from "#testing/test-delivery.ts";

let app: TestApp;
let queue: Queue;
const folder = mkdtempSync(join(tmpdir(), "sluice-deliveries-"));
beforeAll(async () => {
  app = await startApp("litellm_settings: { success_callback: [langfuse, local_files] }");
  queue = openLocalQueue({ path: join(folder, "queue.sqlite"), keyring: keyringState.get() });
  await deliveryState.get().stop(0);
  deliveryState.set(makeTestDelivery(queue));
});
afterAll(async () => {
  await queue.close();
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

const global = "config:global:langfuse";

function get(id: string, key?: string | null): Promise<TestAnswer> {
  const path = `/v1/logs/${encodeURIComponent(id)}/deliveries`;
  return app.call(GET, { path, params: { id }, ...(key === undefined ? {} : { key }) });
}

async function append(fields: { teamId?: string; keyHash?: string; callId?: string; callbackIds?: string[] }) {
  const recordId = newRecordId();
  const { teamId = null, keyHash = null, callId = recordId, callbackIds = [global] } = fields;
  const contents = [{ body: "{}", callbackIds }];
  await queue.append([{ recordId, callId, teamId, keyHash, createdAtMs: Date.now(), contents }]);
  return recordId;
}

type Outcome = { state: "delivered" | "dead" } | { state: "pending"; dueAtMs: number; counted: boolean };

async function settle(callbackId: string, outcome: Outcome & { status: number; message: string }): Promise<void> {
  const nowMs = Date.now();
  const claimed = await queue.claim({ callbackId, limit: 9, bytesMax: 1e6, leaseMs: 60_000, nowMs });
  await queue.settle(
    claimed.map(({ deliveryId }) => ({ deliveryId, ...outcome })),
    nowMs,
  );
}

test("tells of each callback whether it is queued, retrying, delivered or dead, with the destination's words", async () => {
  const states = ["a", "b", "c", "d"].map((name) => `config:team:${name}-${randomUUID()}:langfuse`);
  const [delivered = "", dead = "", retrying = "", queued = ""] = states;
  const recordId = await append({ callbackIds: states });
  await settle(delivered, { state: "delivered", status: 207, message: "" });
  await settle(dead, { state: "dead", status: 400, message: "no such field" });
  await settle(retrying, { state: "pending", dueAtMs: Date.now() + 9e6, counted: true, status: 503, message: "busy" });
  const answer = await get(recordId);
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    id: recordId,
    deliveries: [
      {
        record_id: recordId,
        callback_id: delivered,
        callback_name: "langfuse",
        state: "delivered",
        status: 207,
        due_at: null,
      },
      { callback_id: dead, state: "dead", status: 400, message: "no such field" },
      { callback_id: retrying, state: "retrying", tries: 1, status: 503, message: "busy", settled_at: null },
      { callback_id: queued, state: "queued", tries: 0, status: null, message: null },
    ],
  });
});

test("tells of a suppressed one", async () => {
  const recordId = await append({ callbackIds: ["config:team:gone:langfuse"] });
  await queue.purge({ callbackId: "config:team:gone:langfuse" });
  expect((await get(recordId)).body).toMatchObject({ deliveries: [{ state: "suppressed" }] });
});

test("is found by call id too, for the own key and the own team; a foreign and an unknown call are the same 404", async () => {
  const { team_id } = await makeTeam(app.db);
  const other = await makeTeam(app.db);
  const first = await makeKey(app.db, { team_id });
  const second = await makeKey(app.db, { team_id });
  const foreign = await makeKey(app.db, { team_id: other.team_id });
  const alone = await makeKey(app.db);
  const callId = `call/${randomUUID()}`;
  const recordId = await append({ teamId: team_id, keyHash: first.token, callId });
  const foreignId = await append({ teamId: other.team_id, keyHash: foreign.token, callId });
  for (const key of [first.key, second.key]) {
    for (const id of [recordId, callId]) {
      expect((await get(id, key)).body).toMatchObject({ deliveries: [{ record_id: recordId }] });
      expect((await get(id, key)).text).not.toContain(foreignId);
    }
  }
  expect((await get(callId)).body).toMatchObject({ deliveries: [{ record_id: recordId }, { record_id: foreignId }] });
  const unknown = await get(randomUUID(), alone.key);
  expect(unknown.status).toBe(404);
  for (const id of [recordId, callId]) expect((await get(id, alone.key)).body).toEqual(unknown.body);
  expect((await get(recordId, foreign.key)).body).toEqual(unknown.body);
  expect((await get(recordId, null)).status).toBe(401);
});

test("shows an owner of a team not where the operator's destination stands", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key, token } = await makeKey(app.db, { team_id });
  const host = "langfuse-canary.internal:3000";
  process.env.LANGFUSE_HOST = `http://${host}`;
  try {
    const recordId = await append({ teamId: team_id, keyHash: token });
    await settle(global, { state: "dead", status: 400, message: `Langfuse at ${host} said 400` });
    const answer = await get(recordId, key);
    expect(answer.body).toMatchObject({ deliveries: [{ message: "Langfuse at *** said 400" }] });
    expect((await get(recordId)).text).toContain(host);
  } finally {
    delete process.env.LANGFUSE_HOST;
  }
});
