import { TRPCError } from "@trpc/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeTeam, masterActor } from "#testing/make.ts";
import type { Context } from "#trpc/context.ts";
import { appRouter } from "#trpc/root.ts";
import { createCaller } from "#trpc/trpc.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const procedures = Object.keys(z.record(z.string(), z.unknown()).parse(Reflect.get(appRouter, "_def").procedures));

/** The error that a procedure throws; null if it answers. */
async function refusalOf(path: string, input: unknown): Promise<unknown> {
  const session = { id: "none", userId: "" };
  const context: Context = { db: app.db, actor: masterActor, allowedRoutes: [], session, requestId: "test" };
  const caller: unknown = createCaller(appRouter)(context);
  const procedure = path
    .split(".")
    .reduce(
      (at, name) => (typeof at === "object" || typeof at === "function" ? Reflect.get(at ?? {}, name) : at),
      caller,
    );
  if (typeof procedure !== "function") throw new Error(`There is no procedure ${path}.`);
  return Promise.resolve(Reflect.apply(procedure, undefined, [input])).then(
    () => null,
    (error: unknown) => error,
  );
}

test("no procedure takes a text that cannot be stored, wherever it is in the input", async () => {
  const { team_id: teamId } = await makeTeam(app.db);
  expect(procedures.length).toBeGreaterThan(30);
  for (const path of procedures) {
    for (const poison of ["a\0b", "a\ud800b"]) {
      const inputs = [
        poison,
        { teamId: poison },
        { teamId, changes: { metadata: { a: [poison] } } },
        { teamId, [poison]: 1 },
      ];
      for (const input of inputs) {
        const error = await refusalOf(path, input);
        expect([path, error instanceof TRPCError ? error.code : error]).toEqual([path, "BAD_REQUEST"]);
      }
    }
  }
});
