import { afterAll, beforeAll, expect, test } from "vitest";
import { GET } from "#app/(rest)/metrics/route.ts";
import { newRecordId } from "#lib/id.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

async function scrape(key: string | null): Promise<Response> {
  const headers = key === null ? {} : { authorization: `Bearer ${key}` };
  return GET(new Request("http://127.0.0.1:4000/metrics", { headers }), { params: Promise.resolve({}) });
}

test("shows the queue per kind of callback in Prometheus' format, and names no team", async () => {
  const vars = { langfuse_public_key: "pk", langfuse_secret_key: "sk" };
  const logging = [{ callback_name: "langfuse", callback_vars: vars }];
  const { team_id } = await makeTeam(app.db, { metadata: { logging } });
  const { id } = await app.db.callback.findFirstOrThrow({ where: { teamId: team_id }, select: { id: true } });
  const recordId = newRecordId();
  const contents = [{ body: "{}", callbackIds: [id, "config:global:langfuse", "deleted-id"] }];
  await app.delivery.append({ recordId, callId: recordId, teamId: team_id, keyHash: null, createdAtMs: 1, contents });
  const { key } = await makeKey(app.db);
  const answer = await scrape(key);
  const text = await answer.text();
  expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
  expect(text).toContain("# TYPE sluice_deliveries gauge\n");
  expect(text).toContain('sluice_deliveries{callback="langfuse",state="pending"} 2\n');
  expect(text).toContain('sluice_deliveries{callback="langfuse",state="dead"} 0\n');
  expect(text).toContain('sluice_deliveries{callback="deleted",state="pending"} 1\n');
  expect(text).toMatch(/^sluice_queue_bytes\{place="file"\} [1-9]\d*$/m);
  for (const hidden of [team_id, id]) expect(text).not.toContain(hidden);
  const sample = /^[a-z_]+(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? [0-9.e+-]+$/;
  for (const line of text.trimEnd().split("\n"))
    expect(line).toMatch(line.startsWith("#") ? /^# (HELP|TYPE) / : sample);
});

test("is for holders of a key", async () => {
  expect((await scrape(null)).status).toBe(401);
});
