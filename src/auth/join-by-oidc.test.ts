import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createInvitation, findInvitation, inviteMember } from "#auth/invitation.ts";
import { joinByOidc } from "#auth/join-by-oidc.ts";
import { startSession } from "#auth/session.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeTeam } from "#testing/make.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});

afterAll(() => app.close());

/** A new person as the provider describes him. */
function makeClaims(fields: Record<string, unknown> = {}): Record<string, unknown> & { email: string } {
  const id = randomUUID();
  return { iss: "https://id.example", sub: id, email: `${id}@example.com`, email_verified: true, ...fields };
}

async function countUsers(email: string): Promise<number> {
  return app.db.user.count({ where: { email } });
}

test("a new person gets an account without rights, and the same one the next time", async () => {
  const claims = makeClaims({ name: "Ada" });
  const first = await joinByOidc(app.db, claims);
  expect(await joinByOidc(app.db, { ...claims, email: claims.email.toUpperCase() })).toEqual(first);
  const select = { role: true, alias: true, passwordHash: true } as const;
  expect(await app.db.user.findUnique({ where: { email: claims.email }, select })).toEqual({
    role: "internal_user",
    alias: "Ada",
    passwordHash: null,
  });
});

test("browsers that come at once make one account", async () => {
  const claims = makeClaims();
  const results = await Promise.all([1, 2, 3, 4].map(() => joinByOidc(app.db, claims)));
  expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
  expect(await countUsers(claims.email)).toBe(1);
});

test.each([
  { email_verified: false },
  { email_verified: undefined },
  { email_verified: "false" },
  { email_verified: 1 },
  { email: undefined },
  { email: "Ada <ada@example.com>" },
  { email: "ada＠example.com" },
  { sub: "" },
  { iss: undefined },
])("%j opens and makes no account", async (fields) => {
  const claims = makeClaims();
  const known = `known-${randomUUID()}`;
  await app.db.user.create({ data: { id: known, email: claims.email, role: "proxy_admin" } });
  expect(await joinByOidc(app.db, { ...claims, ...fields })).toEqual({ outcome: "unverified" });
  expect(await app.db.session.count({ where: { userId: known } })).toBe(0);
});

test("an address that now belongs to somebody else does not open the account of before", async () => {
  const claims = makeClaims();
  expect((await joinByOidc(app.db, claims)).outcome).toBe("joined");
  expect(await joinByOidc(app.db, { ...claims, sub: "another" })).toEqual({ outcome: "other_person" });
  expect(await joinByOidc(app.db, { ...claims, iss: "https://other.example" })).toEqual({ outcome: "other_person" });
});

test("whoever prepared an account for an address does not keep a way into it", async () => {
  const claims = makeClaims();
  const { team_id: teamId } = await makeTeam(app.db);
  const id = `prepared-${randomUUID()}`;
  await app.db.user.create({
    data: { id, email: claims.email, role: "internal_user", passwordHash: "known to others" },
  });
  await app.db.teamMember.create({ data: { teamId, userId: id, role: "user" } });
  const { secret } = await createInvitation(app.db, { userId: id, createdBy: null });
  await startSession(app.db, id, "a browser of somebody else");
  expect(await joinByOidc(app.db, claims)).toEqual({ outcome: "joined", userId: id });
  expect(await findInvitation(app.db, secret)).toBeNull();
  expect(await app.db.session.count({ where: { userId: id } })).toBe(0);
  expect(await app.db.user.findUnique({ where: { id }, select: { passwordHash: true } })).toEqual({
    passwordHash: null,
  });
  // A team's administrator gets no new link to it either.
  expect(await inviteMember(app.db, { userId: id, createdBy: null })).toBeNull();
  expect(await app.db.teamMember.count({ where: { teamId, userId: id } })).toBe(1);
});

test("an administrator keeps his password for the day on which the provider is away", async () => {
  const claims = makeClaims();
  const id = `admin-${randomUUID()}`;
  await app.db.user.create({ data: { id, email: claims.email, role: "proxy_admin", passwordHash: "his own" } });
  expect(await joinByOidc(app.db, claims)).toEqual({ outcome: "joined", userId: id });
  expect(await app.db.user.findUnique({ where: { id }, select: { passwordHash: true, role: true } })).toEqual({
    passwordHash: "his own",
    role: "proxy_admin",
  });
});
