import { setTimeout as sleep } from "node:timers/promises";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeGcs, type FakeGcs } from "../fakes/gcs.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { ask, promptsAt, request } from "./ask.ts";

const [ofTeam, ofKey, byDefault, global] = ["team", "key", "default", "global"].map(makeProject);
if (!ofTeam || !ofKey || !byDefault || !global) throw new Error("There are four projects.");
const projects = [ofTeam, ofKey, byDefault, global];

// Several servers are started here, and each row waits for its own records.
test.slow();

/** Where calls can end up, by name; the prompts that are there. */
type Sinks = { langfuse: FakeLangfuse; gcs: FakeGcs };

function promptsIn({ langfuse, gcs }: Sinks, sink: string): string[] {
  if (!sink.endsWith("-bucket")) return promptsAt(langfuse, sink);
  return gcs
    .objects(sink)
    .map(({ content }) => /"content":"([^"]*)"/.exec(content.toString("utf8"))?.[1] ?? "no prompt")
    .toSorted();
}

async function startSinks(): Promise<Sinks & { close(): Promise<unknown> }> {
  const [langfuse, gcs] = await Promise.all([startFakeLangfuse({ projects }), startFakeGcs()]);
  return { langfuse, gcs, close: () => Promise.all([langfuse.close(), gcs.close()]) };
}

/** What a server needs for a global Langfuse project. */
function globalEnv(langfuse: FakeLangfuse): Record<string, string> {
  return {
    LANGFUSE_PUBLIC_KEY: global?.publicKey ?? "",
    LANGFUSE_SECRET_KEY: global?.secretKey ?? "",
    LANGFUSE_HOST: langfuse.url,
  };
}

function defaultSettings(langfuse: FakeLangfuse, teamId: string): object {
  const { publicKey, secretKey } = byDefault ?? {};
  return {
    team_id: teamId,
    success_callback: ["langfuse"],
    langfuse_public_key: publicKey,
    langfuse_secret: secretKey,
    langfuse_host: langfuse.url,
  };
}

type Listing = { success: string[]; failure: string[]; vars: object };

/** A row of the state table: what is done, what GET shows then, and where a success and a failure go. */
type Row = { name: string; act: () => Promise<unknown>; shows: Listing; success: string[]; failure: string[] };

/** Asks once with success and once without after each row; a sink has what the rows so far say, and nothing else. */
async function walk(rows: Row[], { sluice, teamId, sinks }: { sluice: SluiceProcess; teamId: string; sinks: Sinks }) {
  const names = ["team", "default", "global", `${teamId}-bucket`];
  const expected = new Map<string, string[]>(names.map((name) => [name, []]));
  let key: string | null = null;
  for (const [index, { name, act, shows, success, failure }] of rows.entries()) {
    await test.step(`${teamId}: ${name}`, async () => {
      await act();
      key ??= await makeKey(sluice, { team_id: teamId });
      const { body } = await request(sluice, `/team/${teamId}/callback`);
      expect(body).toEqual({
        status: "success",
        data: {
          team_id: teamId,
          success_callbacks: shows.success,
          failure_callbacks: shows.failure,
          callback_vars: shows.vars,
        },
      });
      const row = `${teamId} row ${String(index).padStart(2, "0")}`;
      expect((await ask(sluice, key, { content: `${row} success` })).status).toBe(200);
      expect((await ask(sluice, key, { content: `[[error-500]] ${row} failure` })).status).toBe(500);
      for (const sink of success) expected.get(sink)?.push(`${row} success`);
      for (const sink of failure) expected.get(sink)?.push(`[[error-500]] ${row} failure`);
      const own = (sink: string): string[] => promptsIn(sinks, sink).filter((prompt) => prompt.includes(teamId));
      // The next row may remove a callback, and what still waits for it then would be suppressed.
      for (const sink of names) {
        await until(`${sink} has ${row}`, () => own(sink).length >= (expected.get(sink)?.length ?? 0));
      }
    });
  }
  await sleep(1_000);
  for (const sink of names) {
    const own = promptsIn(sinks, sink).filter((prompt) => prompt.includes(teamId));
    expect(own, `${teamId} at ${sink}`).toEqual(expected.get(sink)?.toSorted());
  }
}

function stateTable(
  sluice: SluiceProcess,
  { langfuse, gcs }: Sinks,
  [teamId, fallback]: readonly [string, string],
): Row[] {
  if (!ofTeam) throw new Error("There are four projects.");
  const vars = langfuseVars(langfuse.url, ofTeam);
  const masked = { langfuse_public_key: "***REDACTED***", langfuse_secret_key: "***REDACTED***" };
  const shownVars = { ...masked, langfuse_host: langfuse.url };
  const bucket = `${teamId}-bucket`;
  const bucketVars = {
    gcs_bucket_name: bucket,
    gcs_service_account_json: gcs.addTenant(bucket).json,
    gcs_api_endpoint: gcs.url,
  };
  const shownBucket = { ...bucketVars, gcs_service_account_json: "***REDACTED***" };
  const add =
    ([callback_name, callback_type]: readonly [string, string], callback_vars: object, status = 200) =>
    async () => {
      const body = { callback_name, callback_type, callback_vars };
      expect((await request(sluice, `/team/${teamId}/callback`, { body })).status).toBe(status);
    };
  const remove = (name: string) => async () => {
    const answer = await request(sluice, `/team/${teamId}/callback/${name}`, { method: "DELETE" });
    expect(answer.status).toBe(200);
  };
  const update = (fields: object) => () => mustAdmin(sluice, "/team/update", { team_id: teamId, ...fields });
  const disable = async () => {
    expect((await request(sluice, `/team/${teamId}/disable_logging`, { method: "POST" })).body).toEqual({
      status: "success",
      message: `Logging disabled for team ${teamId}`,
      data: { team_id: teamId, success_callbacks: [], failure_callbacks: [] },
    });
  };
  const nothing: Listing = { success: [], failure: [], vars: {} };
  const both: Listing = { success: ["langfuse"], failure: ["langfuse"], vars: shownVars };
  const failureFallback = fallback === "default" ? [] : [fallback];
  const unset = { shows: nothing, success: [fallback], failure: failureFallback };
  const silent = { shows: nothing, success: [], failure: [] };
  const all = ["langfuse", "gcs_bucket"];
  return [
    { name: "new team", act: () => mustAdmin(sluice, "/team/new", { team_id: teamId }), ...unset },
    {
      name: "POST langfuse success",
      act: add(["langfuse", "success"], vars),
      shows: { success: ["langfuse"], failure: [], vars: shownVars },
      success: ["team"],
      failure: [],
    },
    {
      name: "POST langfuse failure",
      act: add(["langfuse", "failure"], vars),
      shows: both,
      success: ["team"],
      failure: ["team"],
    },
    {
      name: "POST langfuse success again",
      act: add(["langfuse", "success"], vars, 400),
      shows: both,
      success: ["team"],
      failure: ["team"],
    },
    {
      name: "POST gcs_bucket success_and_failure",
      act: add(["gcs_bucket", "success_and_failure"], bucketVars),
      shows: { success: all, failure: all, vars: { ...shownVars, ...shownBucket } },
      success: ["team", bucket],
      failure: ["team", bucket],
    },
    {
      name: "DELETE langfuse",
      act: remove("langfuse"),
      shows: { success: ["gcs_bucket"], failure: ["gcs_bucket"], vars: shownBucket },
      success: [bucket],
      failure: [bucket],
    },
    { name: "disable_logging", act: disable, ...silent },
    { name: "disable_logging again", act: disable, ...silent },
    {
      name: "POST langfuse after disable",
      act: add(["langfuse", "success"], vars),
      shows: { success: ["langfuse"], failure: [], vars: shownVars },
      success: ["team"],
      failure: [],
    },
    { name: "team/update metadata {}", act: update({ metadata: {} }), ...unset },
    {
      name: "POST langfuse, to delete it",
      act: add(["langfuse", "success_and_failure"], vars),
      shows: both,
      success: ["team"],
      failure: ["team"],
    },
    { name: "DELETE of the last entry", act: remove("langfuse"), ...unset },
    { name: "disable, then team/update metadata {}", act: () => disable().then(update({ metadata: {} })), ...silent },
    { name: "then an unrelated field", act: update({ team_alias: "renamed" }), ...silent },
    {
      name: "explicit entries in metadata end it",
      act: update({ metadata: { logging: [{ callback_name: "langfuse", callback_vars: vars }] } }),
      shows: both,
      success: ["team"],
      failure: ["team"],
    },
    { name: "team/update metadata.logging []", act: update({ metadata: { logging: [] } }), ...silent },
  ];
}

test("a team's logging goes through the state table, and every state is what its sinks receive", async ({
  startSluice,
  fakes,
}) => {
  const sinks = await startSinks();
  const sluice = await startSluice({
    config: {
      ...fakeModelConfig(fakes),
      litellm_settings: {
        callbacks: ["langfuse"],
        default_team_settings: [defaultSettings(sinks.langfuse, "with-default")],
      },
      general_settings: { google_token_uris: [sinks.gcs.tokenUri] },
    },
    env: globalEnv(sinks.langfuse),
  });
  for (const [teamId, fallback] of [
    ["without-default", "global"],
    ["with-default", "default"],
  ] as const) {
    await walk(stateTable(sluice, sinks, [teamId, fallback]), { sluice, teamId, sinks });
  }
  const made = await mustAdmin(sluice, "/team/new", { team_id: "made-silent", metadata: { logging: [] } });
  expect(made).toMatchObject({ metadata: { logging: [] } });
  const answer = await ask(sluice, await makeKey(sluice, { team_id: "made-silent" }), { content: "made-silent" });
  expect(answer.receipt).toBe("disabled");
  await sinks.close();
});

const states = ["none", "set", "disabled"] as const;
type State = (typeof states)[number];

/** Makes a team and a key in these states, asks once, and tells where that has to arrive. */
async function askAs(
  sluice: SluiceProcess,
  langfuse: FakeLangfuse,
  { key, team, fallback, isDefault }: { key: State; team: State; fallback: State; isDefault: boolean },
): Promise<{ sink: string | null; content: string }> {
  const teamId = teamIdOf(key, team, isDefault);
  const entry = (project: ReturnType<typeof makeProject> | undefined): object => ({
    callback_name: "langfuse",
    callback_vars: project === undefined ? {} : langfuseVars(langfuse.url, project),
  });
  await mustAdmin(sluice, "/team/new", { team_id: teamId });
  if (team === "set") await mustAdmin(sluice, `/team/${teamId}/callback`, entry(ofTeam));
  if (team === "disabled") await mustAdmin(sluice, `/team/${teamId}/disable_logging`, {});
  const logging = { none: {}, set: { logging: [entry(ofKey)] }, disabled: { logging: [] } }[key];
  const secret = await makeKey(sluice, { team_id: teamId, metadata: logging });
  const content = `${teamId}, global ${fallback}`;
  const answer = await ask(sluice, secret, { content });
  expect(answer.status, content).toBe(200);
  const silenced = await ask(sluice, secret, { content: `${content}, no-log`, "no-log": true });
  const configured = isDefault || fallback === "set";
  const sink =
    team === "disabled" || key === "disabled"
      ? null
      : key === "set"
        ? "key"
        : team === "set"
          ? "team"
          : configured
            ? isDefault
              ? "default"
              : "global"
            : null;
  const isOptedOut = team === "disabled" || key === "disabled";
  const receipt = isOptedOut ? /^disabled$/ : sink === null ? /^none$/ : /^langfuse=queued; id=/;
  expect(answer.receipt, content).toMatch(receipt);
  expect(silenced.receipt, content).toBe(isOptedOut ? "disabled" : "no-log");
  return { sink, content };
}

function teamIdOf(key: State, team: State, isDefault: boolean): string {
  return `key ${key}, team ${team}, default ${isDefault ? "set" : "none"}`;
}

for (const fallback of states) {
  test(`key, team and default_team_settings in every state with the global callback ${fallback}: one level delivers`, async ({
    startSluice,
    fakes,
  }) => {
    const langfuse = await startFakeLangfuse({ projects });
    const pairs = states.flatMap((key) => states.map((team) => ({ key, team })));
    const callbacks = { none: {}, set: { callbacks: ["langfuse"] }, disabled: { callbacks: [], success_callback: [] } };
    const sluice = await startSluice({
      config: {
        ...fakeModelConfig(fakes),
        litellm_settings: {
          ...callbacks[fallback],
          default_team_settings: pairs.map(({ key, team }) => defaultSettings(langfuse, teamIdOf(key, team, true))),
        },
      },
      env: globalEnv(langfuse),
    });
    const expected = new Map<string, string[]>(projects.map(({ id }) => [id, []]));
    for (const pair of pairs) {
      for (const isDefault of [true, false]) {
        const { sink, content } = await askAs(sluice, langfuse, { ...pair, fallback, isDefault });
        if (sink !== null) expected.get(sink)?.push(content);
      }
    }
    const count = [...expected.values()].flat().length;
    await until("all arrived", () => projects.flatMap(({ id }) => promptsAt(langfuse, id)).length >= count);
    await sleep(1_000);
    for (const { id } of projects) expect(promptsAt(langfuse, id), id).toEqual(expected.get(id)?.toSorted());
    await langfuse.close();
  });
}

test("another kind of callback replaces the global one, and credentials in the body replace nothing that a team or config.yaml set", async ({
  startSluice,
  fakes,
}) => {
  const sinks = await startSinks();
  const { langfuse, gcs } = sinks;
  const sluice = await startSluice({
    config: {
      ...fakeModelConfig(fakes),
      litellm_settings: {
        callbacks: ["langfuse"],
        default_team_settings: [defaultSettings(langfuse, "with-default")],
      },
      general_settings: { google_token_uris: [gcs.tokenUri] },
    },
    env: globalEnv(langfuse),
  });
  const bucket = {
    callback_name: "gcs_bucket",
    callback_vars: {
      gcs_bucket_name: "the-bucket",
      gcs_service_account_json: gcs.addTenant("the-bucket").json,
      gcs_api_endpoint: gcs.url,
    },
  };
  const inBody = langfuseVars(langfuse.url, ofKey);
  await mustAdmin(sluice, "/team/new", { team_id: "bucket" });
  await mustAdmin(sluice, "/team/bucket/callback", bucket);
  await mustAdmin(sluice, "/team/new", { team_id: "own" });
  const own = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, ofTeam) };
  await mustAdmin(sluice, "/team/own/callback", own);
  const keys = {
    nobody: await makeKey(sluice, {}),
    ownKind: await makeKey(sluice, { metadata: { logging: [bucket] } }),
    bucketTeam: await makeKey(sluice, { team_id: "bucket" }),
    ownTeam: await makeKey(sluice, { team_id: "own" }),
    byDefault: await makeKey(sluice, { team_id: "with-default" }),
  };
  const half = { langfuse_public_key: inBody.langfuse_public_key, langfuse_host: langfuse.url };
  for (const [key, content, body, receipt] of [
    [keys.nobody, "half a pair", half, "langfuse=queued"],
    [keys.nobody, "plain", {}, "langfuse=queued"],
    [keys.ownTeam, "body of a team's caller", inBody, "langfuse=queued"],
    [keys.byDefault, "body against the defaults", inBody, "langfuse=queued"],
    [keys.ownKind, "bucket of a key", {}, "gcs_bucket=queued"],
    [keys.bucketTeam, "bucket of a team", inBody, "gcs_bucket=queued"],
  ] as const) {
    const answer = await ask(sluice, key, { content, ...body });
    expect([answer.status, answer.receipt]).toEqual([200, expect.stringContaining(receipt)]);
    expect(answer.receipt.split(";")[0], content).toBe(receipt);
  }
  const expected = {
    global: ["half a pair", "plain"],
    team: ["body of a team's caller"],
    default: ["body against the defaults"],
    "the-bucket": ["bucket of a key", "bucket of a team"],
  };
  const arrived = (): Record<string, string[]> =>
    Object.fromEntries(Object.keys(expected).map((sink) => [sink, promptsIn(sinks, sink)]));
  await until("all arrived", () => Object.values(arrived()).flat().length >= 6);
  await sleep(1_000);
  expect(arrived()).toEqual(expected);
  await sinks.close();
});
