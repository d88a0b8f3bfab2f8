import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRoutes, makeFetch } from "#http/dispatch.ts";
import { forgetEveryCaller } from "#keys/caller-cache.ts";
import { sha256Hex, newRecordId, newVirtualKey } from "#lib/id.ts";
import { startApp, type TestApp } from "#testing/app.ts";

const yaml = `
litellm_settings:
  callbacks: [langfuse]
general_settings:
  user_api_key_cache_ttl: 0
`;

const origin = "http://127.0.0.1:4000";

let app: TestApp;
let wire: ReturnType<typeof makeFetch>;
let calls: { method: string; path: string }[] = [];

beforeAll(async () => {
  app = await startApp(yaml);
  const routes = await loadRoutes();
  wire = makeFetch(routes);
  calls = routes.flatMap(({ path, handlers }) =>
    [...handlers]
      .filter(([, { options }]) => options.auth === "llm")
      .map(([method]) => ({ method, path: path.replace(/:(\w+)\{\.\+\}/g, "gpt-4o") })),
  );
});
afterAll(() => app.close());

type Owner = "disabled" | "silent key" | "own" | "none";

/** A key of a team that logs nothing, of a team with a project, of such a team but opted out, or of no team. */
async function makeOwner(owner: Owner, more: object = {}): Promise<{ teamId: string | null; key: string }> {
  const teamId = owner === "none" ? null : newRecordId();
  if (teamId !== null) {
    await manage("/team/new", { team_id: teamId });
    const vars = { langfuse_public_key: "pk-lf-1", langfuse_secret_key: "sk-lf-1" };
    await manage(`/team/${teamId}/callback`, { callback_name: "langfuse", callback_vars: vars });
    if (owner === "disabled") await manage(`/team/${teamId}/disable_logging`, {});
  }
  const body = { ...(teamId === null ? {} : { team_id: teamId }), ...more };
  const silent = owner === "silent key" ? { metadata: { logging: [] } } : {};
  const key = newVirtualKey();
  await manage("/key/generate", { key, ...body, ...silent });
  return { teamId, key };
}

async function manage(path: string, body: object): Promise<void> {
  const headers = { ...bearer(app.masterKey), "content-type": "application/json" };
  const answer = await wire(new Request(`${origin}${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
  if (answer.status !== 200) throw new Error(`${path} answered ${String(answer.status)}: ${await answer.text()}`);
}

/** Where the records of whatever happens went: `global`, or the team's. */
async function recordsOf(happens: () => Promise<unknown>): Promise<string[]> {
  const list = async () => (await app.delivery.list({ filter: {}, before: null, limit: 500 })).rows;
  const before = new Set((await list()).map(({ recordId }) => recordId));
  await happens();
  const added = (await list()).filter(({ recordId }) => !before.has(recordId));
  return added.map(({ callbackId, teamId }) => (callbackId.startsWith("config:") ? "global" : `of ${String(teamId)}`));
}

async function refuse(
  headers: Record<string, string>,
  path = "/v1/chat/completions",
  method = "POST",
): Promise<string> {
  const answer = await wire(new Request(`${origin}${path}`, { method, headers }));
  expect([401, 403]).toContain(answer.status);
  return answer.text();
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

/** What makes the door refuse a key. */
const refusals: Record<string, { more?: object; act?(owner: { teamId: string | null; key: string }): Promise<void> }> =
  {
    blocked: { act: ({ key }) => manage("/key/block", { key }) },
    expired: { more: { duration: "0s" } },
    "of a blocked team": { act: ({ teamId }) => manage("/team/block", { team_id: teamId }) },
    "not allowed on this route": { more: { allowed_routes: ["/key/info"] } },
    deleted: { act: ({ key }) => manage("/key/delete", { keys: [key] }) },
    regenerated: { act: ({ key }) => manage("/key/regenerate", { key }) },
    "regenerated, then deleted": {
      async act({ key }) {
        const next = newVirtualKey();
        await manage("/key/regenerate", { key, new_key: next });
        await manage("/key/delete", { keys: [next] });
      },
    },
  };

const owners = [
  { owner: "disabled", goesTo: "nowhere" },
  { owner: "silent key", goesTo: "nowhere" },
  { owner: "own", goesTo: "the team's" },
  { owner: "none", goesTo: "global" },
] as const;

describe.each(Object.entries(refusals))("a key that is %s", (name, { more, act }) => {
  const possible = owners.filter(({ owner }) => owner !== "none" || name !== "of a blocked team");
  test.each(possible)("is logged $goesTo if its owner is: $owner", async ({ owner, goesTo }) => {
    const made = await makeOwner(owner, more);
    await act?.(made);
    const expected = { nowhere: [], "the team's": [`of ${String(made.teamId)}`], global: ["global"] }[goesTo];
    expect(await recordsOf(() => refuse(bearer(made.key)))).toEqual(expected);
  });
});

test("every route of calls logs a refusal as the key's owner wants it", async () => {
  const [silent, own] = [await makeOwner("disabled"), await makeOwner("own")];
  for (const { key } of [silent, own]) await manage("/key/block", { key });
  expect(calls.length).toBeGreaterThan(15);
  for (const { method, path } of calls) {
    expect(await recordsOf(() => refuse(bearer(silent.key), path, method)), path).toEqual([]);
    expect(await recordsOf(() => refuse(bearer(own.key), path, method)), path).toEqual([`of ${String(own.teamId)}`]);
  }
});

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

/** Forms in which a key does not open the door. */
const forms: Record<string, (key: string) => Record<string, string>> = {
  "without Bearer": (key) => ({ authorization: key }),
  "with two words": (key) => ({ authorization: `Bearer ${key} please` }),
  "with Bearer twice": (key) => ({ authorization: `Bearer Bearer ${key}` }),
  "with another scheme": (key) => ({ authorization: `Token ${key}` }),
  "as a password": (key) => ({ authorization: basic(`user:${key}`) }),
  "as a user": (key) => ({ authorization: basic(`${key}:`) }),
  "in quotes": (key) => bearer(`"${key}"`),
  "with a comma": (key) => bearer(`${key},`),
  "with a line end that was written out": (key) => bearer(`${key}\\n`),
  "as its hash": (key) => bearer(sha256Hex(key)),
  "in x-api-key, in quotes": (key) => ({ "x-api-key": `'${key}'` }),
  "in api-key, with Bearer": (key) => ({ "api-key": `Bearer ${key}` }),
  "in x-goog-api-key, twice": (key) => ({ "x-goog-api-key": `${key}, ${key}` }),
  "behind another key": (key) => ({ "x-litellm-api-key": "sk-nobodys", authorization: `Bearer ${key}` }),
  "in a header of another name": (key) => ({ "x-my-secret": key }),
};

test.each(Object.entries(forms))("a key %s is logged as its owner wants it", async (_name, form) => {
  const [silent, own] = [await makeOwner("disabled"), await makeOwner("own")];
  expect(await recordsOf(() => refuse(form(silent.key)))).toEqual([]);
  expect(await recordsOf(() => refuse(form(own.key)))).toEqual([`of ${String(own.teamId)}`]);
});

test("a key in the query is logged as its owner wants it, keys of two owners nowhere", async () => {
  const [silent, own] = [await makeOwner("disabled"), await makeOwner("own")];
  expect(await recordsOf(() => refuse({}, `/v1/chat/completions?key=${silent.key}`))).toEqual([]);
  expect(await recordsOf(() => refuse({}, `/v1/chat/completions?key=${own.key}`))).toHaveLength(1);
  const both = { "x-litellm-api-key": "sk-nobodys", authorization: bearer(own.key).authorization ?? "" };
  expect(await recordsOf(() => refuse({ ...both, "x-api-key": silent.key }))).toEqual([]);
  const many = Array.from({ length: 40 }, () => newVirtualKey()).join(" ");
  expect(await recordsOf(() => refuse({ authorization: many }))).toEqual([]);
});

test("a key of a deleted team is logged nowhere", async () => {
  const { teamId, key } = await makeOwner("own");
  await manage("/team/delete", { team_ids: [teamId] });
  expect(await recordsOf(() => refuse(bearer(key)))).toEqual([]);
});

test("a refused call with no key, or with nobody's, is logged for the operator without a trace of what was sent", async () => {
  for (const headers of [{}, bearer("sk-nobodys-secret-WXYZ"), bearer("someone-elses-secret-WXYZ")]) {
    const bodies: string[] = [];
    const append = app.delivery.append;
    app.delivery.append = (entry) => {
      bodies.push(JSON.stringify(entry));
      return append(entry);
    };
    const answered = await refuse(headers);
    app.delivery.append = append;
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toContain("Authentication Error");
    expect(bodies[0]).not.toContain("WXYZ");
    expect(bodies[0]).not.toContain(sha256Hex("sk-nobodys-secret-WXYZ"));
    // The client itself is told, in LiteLLM's words.
    if ("authorization" in headers) expect(answered).toContain("WXYZ");
  }
});

test("the owner's switches hold for refusals: redaction, callbacks that are off, must_log", async () => {
  const off = await makeOwner("own", { metadata: { litellm_disabled_callbacks: ["langfuse"] } });
  const asked = await makeOwner("own");
  for (const { key } of [off, asked]) await manage("/key/block", { key });
  expect(await recordsOf(() => refuse(bearer(off.key)))).toEqual([]);
  const header = { "x-litellm-disable-callbacks": "langfuse" };
  expect(await recordsOf(() => refuse({ ...bearer(asked.key), ...header }))).toEqual([]);
  // Without a key, headers steer nothing.
  expect(await recordsOf(() => refuse(header))).toEqual(["global"]);
  await manage("/key/delete", { keys: [off.key] });
  expect(await recordsOf(() => refuse(bearer(off.key)))).toEqual([]);
});

test("if it cannot be told whose a key is, nothing is logged anywhere", async () => {
  const { key } = await makeOwner("disabled");
  forgetEveryCaller();
  const { findUnique } = app.db.key;
  const away = Object.assign(new Error("Connection terminated"), { code: "P1001" });
  Object.defineProperty(app.db.key, "findUnique", { configurable: true, value: () => Promise.reject(away) });
  try {
    expect(await recordsOf(() => refuse({ authorization: key }))).toEqual([]);
  } finally {
    Object.defineProperty(app.db.key, "findUnique", { configurable: true, value: findUnique });
  }
});
