import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { teamFieldRules } from "#teams/team-field-rights.ts";
import { TeamFields } from "#teams/team.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { findRoute } from "#testing/find-route.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";
import { userFieldRules } from "#users/update-user.ts";
import { UserFields } from "#users/user.ts";

const updateMember = await findRoute("POST /team/member_update");
const updateTeam = await findRoute("POST /team/update");
const updateUser = await findRoute("POST /user/update");
let app: TestApp;
let admin: string;
let key: string;
let team_id: string;
beforeAll(async () => {
  app = await startApp("general_settings: { ignored_controls: [guardrails, enforced_params] }");
});
afterAll(() => app.close());

const granted = {
  organization_id: "o1",
  max_budget: 5,
  soft_budget: 4,
  budget_duration: "30d",
  tpm_limit: 5,
  rpm_limit: 5,
  max_parallel_requests: 5,
  models: ["m1"],
  model_aliases: { fast: "m1" },
  team_member_budget: 2,
  team_member_budget_duration: "30d",
  model_rpm_limit: { m1: 1 },
  model_tpm_limit: { m1: 1 },
  model_max_budget: { m1: { max_budget: 5 } },
  object_permission: { a: ["b"] },
  guardrails: ["pii"],
  metadata: { guardrails: ["pii"] },
};
/** Other values than those that were granted, for every field that is not the team's own. */
const others: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(Object.keys(granted).map((name) => [name, null])),
  blocked: true,
  must_log: true,
  guardrails: [],
  metadata: {},
};

beforeEach(async () => {
  admin = await makeUser(app.db);
  key = (await makeKey(app.db, { user_id: admin })).key;
  ({ team_id } = await makeTeam(app.db, { ...granted, members_with_roles: [{ role: "admin", user_id: admin }] }));
});

const change = async (fields: object) =>
  (await app.call(updateTeam, { path: "/team/update", body: { team_id, ...fields }, key })).status;
const limit = async (fields: object, user_id = admin, bearer = key) =>
  (await app.call(updateMember, { path: "/team/member_update", body: { team_id, user_id, ...fields }, key: bearer }))
    .status;

test("every field of teams and users has a rule", () => {
  expect(Object.keys(teamFieldRules).toSorted()).toEqual(Object.keys(TeamFields.shape).toSorted());
  expect(Object.keys(userFieldRules).toSorted()).toEqual(Object.keys(UserFields.shape).toSorted());
});

describe.each(Object.entries(teamFieldRules).filter(([, rule]) => rule !== "own"))("%s of a team", (name) => {
  test("is not loosened or cleared by the team's administrator", async () => {
    const before = await app.db.team.findUnique({ where: { id: team_id } });
    expect(await change({ [name]: others[name] })).toBe(403);
    expect(await app.db.team.findUnique({ where: { id: team_id } })).toEqual(before);
  });
});

test("a team's administrator adds guardrails and sets what is the team's own", async () => {
  expect(await change({ guardrails: ["pii", "more"] })).toBe(200);
  expect(await change({ team_alias: "Search", metadata: { guardrails: ["pii"], note: "n" }, tags: ["t"] })).toBe(200);
});

test("a team's administrator tightens their own limits and does not loosen them", async () => {
  expect(await limit({ max_budget_in_team: 3 })).toBe(403);
  const limits = { max_budget_in_team: 5, tpm_limit: 5, rpm_limit: 5 };
  expect(await limit(limits, admin, app.masterKey)).toBe(200);
  for (const name of ["max_budget_in_team", "tpm_limit", "rpm_limit"]) {
    expect(await limit({ [name]: 6 }), name).toBe(403);
    if (name !== "max_budget_in_team") expect(await limit({ [name]: null }), name).toBe(403);
    expect(await limit({ [name]: 4 }), name).toBe(200);
    expect(await limit({ [name]: 5 }), name).toBe(403);
  }
  // Without one of their own they have the budget that the team gives each member, which is lower.
  expect(await limit({ max_budget_in_team: null })).toBe(200);
  const other = await makeUser(app.db);
  await app.db.teamMember.create({ data: { teamId: team_id, userId: other, role: "user" } });
  expect(await limit({ max_budget_in_team: 4, rpm_limit: 100 }, other)).toBe(200);
});

describe.each(Object.entries(userFieldRules))("%s of a user", (name, rule) => {
  test("is written by the user only if it is the user's own", async () => {
    const body = { user_id: admin, [name]: null };
    const { status } = await app.call(updateUser, { path: "/user/update", body, key });
    expect(status).toBe(rule === "own" ? 200 : 403);
  });
});
