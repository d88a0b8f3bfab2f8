import { createHash } from "node:crypto";
import { z } from "zod";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { request } from "./ask.ts";

/** Where the logs of calls go that are refused at the door, without a cache of callers and while keys are written. */

const Deliveries = z.object({ deliveries: z.array(z.looseObject({ team_id: z.string().nullable() })) });

/** Ways to make the door refuse a key, by name. */
const refusals: Record<string, (sluice: SluiceProcess, key: { key: string; teamId: string }) => Promise<unknown>> = {
  blocked: (sluice, { key }) => mustAdmin(sluice, "/key/block", { key }),
  expired: (sluice, { key }) => mustAdmin(sluice, "/key/update", { key, duration: "0s" }),
  "not allowed": (sluice, { key }) => mustAdmin(sluice, "/key/update", { key, allowed_routes: ["/key/info"] }),
  deleted: (sluice, { key }) => mustAdmin(sluice, "/key/delete", { keys: [key] }),
  regenerated: (sluice, { key }) => mustAdmin(sluice, "/key/regenerate", { key }),
  "of a blocked team": (sluice, { teamId }) => mustAdmin(sluice, "/team/block", { team_id: teamId }),
};

/** The form in which a key is sent: one that is read, and some that are not. */
const forms: Record<string, (key: string) => Record<string, string>> = {
  bearer: (key) => ({ authorization: `Bearer ${key}` }),
  "no scheme": (key) => ({ authorization: key }),
  basic: (key) => ({ authorization: `Basic ${Buffer.from(`user:${key}`).toString("base64")}` }),
  "x-api-key, quoted": (key) => ({ "x-api-key": `"${key}"` }),
};

const paths = ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings", "/v1/audio/transcriptions"];

/** What a server needs that logs every call of nobody's to a project of the operator. */
function withGlobal({ url }: { url: string }, project: ReturnType<typeof makeProject>) {
  const env = {
    LANGFUSE_PUBLIC_KEY: project.publicKey,
    LANGFUSE_SECRET_KEY: project.secretKey,
    LANGFUSE_HOST: url,
  };
  const settings = {
    litellm_settings: { callbacks: ["langfuse"] },
    general_settings: { user_api_key_cache_ttl: 0 },
  };
  return { env, settings };
}

async function refuse(sluice: SluiceProcess, headers: Record<string, string>, path = paths[0]): Promise<void> {
  const body = { model: "fake-model", messages: [{ role: "user", content: "refused" }] };
  const { status } = await request(sluice, path ?? "", { key: null, headers, body });
  expect([401, 403]).toContain(status);
}

/** How many records of refusals were queued, of a team (null: of nobody). A refusal is answered after its record. */
async function countRecords(sluice: SluiceProcess, teamId: string | null): Promise<number> {
  const { deliveries } = Deliveries.parse(await mustAdmin(sluice, "/v1/deliveries?limit=500"));
  return deliveries.filter((delivery) => delivery.team_id === teamId).length;
}

test("a refused call is logged where its key's owner says, whatever is refused and however", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(180_000);
  const [own, global] = [makeProject("refused-own"), makeProject("refused-global")];
  const langfuse = await startFakeLangfuse({ projects: [own, global] });
  const { env, settings } = withGlobal(langfuse, global);
  const sluice = await startSluice({ config: { ...fakeModelConfig(fakes), ...settings }, env });
  const stop = new AbortController();
  // Every write of a key empties what is known of callers.
  const writing = (async () => {
    while (!stop.signal.aborted) await makeKey(sluice, {});
  })();

  let expected = 0;
  const hashes: string[] = [];
  for (const [name, act] of Object.entries(refusals)) {
    const [disabledId, ownId] = [`disabled, ${name}`, `own, ${name}`];
    for (const teamId of [disabledId, ownId]) await mustAdmin(sluice, "/team/new", { team_id: teamId });
    await mustAdmin(sluice, `/team/${encodeURIComponent(disabledId)}/disable_logging`, {});
    const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, own) };
    await mustAdmin(sluice, `/team/${encodeURIComponent(ownId)}/callback`, callback);
    for (const teamId of [disabledId, ownId]) {
      const key = await makeKey(sluice, { team_id: teamId });
      hashes.push(createHash("sha256").update(key).digest("hex"));
      await act(sluice, { key, teamId });
      for (const form of Object.values(forms)) await refuse(sluice, form(key));
      for (const path of paths) await refuse(sluice, { authorization: `Bearer ${key}` }, path);
    }
    expected += Object.keys(forms).length + paths.length;
    expect(await countRecords(sluice, disabledId), name).toBe(0);
    expect(await countRecords(sluice, ownId), name).toBe(Object.keys(forms).length + paths.length);
  }
  stop.abort();
  await writing;
  await refuse(sluice, { authorization: "Bearer sk-nobodys-secret-WXYZ" });
  await refuse(sluice, {});
  expect(await countRecords(sluice, null)).toBe(2);
  await until("all arrived", () => {
    const arrived = [own, global].map(({ id }) => langfuse.project(id).spans.length);
    return arrived[0] === expected && arrived[1] === 2;
  });
  const atGlobal = JSON.stringify(langfuse.project(global.id).spans);
  for (const trace of ["WXYZ", "disabled, ", "own, ", ...hashes]) expect(atGlobal).not.toContain(trace);
  await langfuse.close();
});

test("a disable has ended the records of refusals when it returns, also while keys are written", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(180_000);
  const global = makeProject("refused-race");
  const langfuse = await startFakeLangfuse({ projects: [global] });
  const { env, settings } = withGlobal(langfuse, global);
  const sluice = await startSluice({ config: { ...fakeModelConfig(fakes), ...settings }, env });
  for (const round of ["first", "second", "third"]) {
    const teamId = `racing ${round}`;
    await mustAdmin(sluice, "/team/new", { team_id: teamId });
    const keys = [await makeKey(sluice, { team_id: teamId }), await makeKey(sluice, { team_id: teamId })];
    const [blocked = "", deleted = ""] = keys;
    await mustAdmin(sluice, "/key/block", { key: blocked });
    await mustAdmin(sluice, "/key/delete", { keys: [deleted] });
    const stop = new AbortController();
    let refused = 0;
    const refusing = [blocked, deleted, blocked, deleted].map(async (key, index) => {
      const form = index < 2 ? forms.bearer : forms["no scheme"];
      while (!stop.signal.aborted) {
        await refuse(sluice, form?.(key) ?? {});
        refused += 1;
      }
    });
    await until("refusals are logged", async () => (await countRecords(sluice, teamId)) > 20);
    await mustAdmin(sluice, `/team/${encodeURIComponent(teamId)}/disable_logging`, {});
    const arrived = langfuse.project(global.id).spans.length;
    const [before] = [refused];
    await makeKey(sluice, {});
    await until("more were refused", () => refused > before + 40);
    stop.abort();
    await Promise.all(refusing);
    expect(await countRecords(sluice, teamId)).toBe(0);
    expect(langfuse.project(global.id).spans).toHaveLength(arrived);
  }
  expect(await countRecords(sluice, null)).toBe(0);
  await langfuse.close();
});
