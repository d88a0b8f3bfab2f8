import { ESLint } from "eslint";
import { expect, test } from "vitest";

const root = `${import.meta.dirname}/..`;
const eslint = new ESLint({
  cwd: root,
  // The texts are no files of the project, so the rules that ask TypeScript stay out; the house's own ones stay in.
  overrideConfig: [{ files: ["**/*.ts", "**/*.tsx"], languageOptions: { parserOptions: { projectService: false } } }],
  ruleFilter: ({ ruleId }) => ruleId.startsWith("house/") || ruleId.startsWith("no-restricted-"),
});

/** The rules that a text breaks as the content of a file. */
async function rulesBroken(filePath: string, text: string): Promise<(string | null)[]> {
  const results = await eslint.lintText(text, { filePath: `${root}/${filePath}` });
  return results.flatMap(({ messages }) => messages.map(({ ruleId, fatal, message }) => (fatal ? message : ruleId)));
}

test.each([
  ["src/lib/seal.ts", 'import "#keys/key.ts";'],
  ["src/logging/policy.ts", 'import { verifyKey } from "#keys/verify-key.ts";'],
  ["src/logging/policy.ts", 'export * from "#keys/verify-key.ts";'],
  ["src/logging/policy.ts", 'export { verifyKey } from "#keys/verify-key.ts";'],
  ["src/logging/policy.ts", 'export const load = () => import("#keys/verify-key.ts");'],
  ["src/logging/policy.ts", 'export type Key = import("#keys/key.ts").Key;'],
  ["src/logging/policy.ts", 'import { record } from "./record.ts";'],
  ["src/logging/queue/local.ts", 'import { record } from "../record.ts";'],
  ["src/logging/deliver.ts", 'import { currentDb } from "#lib/db.ts";'],
  ["src/logging/deliver.ts", 'import { makeTeam } from "#testing/make.ts";'],
  ["src/logging/deliver.ts", 'import { worker } from "#worker.ts";'],
  ["src/logging/destinations/datadog.ts", 'import type { Db } from "#lib/db.ts";'],
  ["src/logging/destinations/datadog.ts", 'import { env } from "#lib/env.ts";'],
  ["src/logging/destinations/datadog.ts", 'import { policy } from "#logging/policy.ts";'],
  ["src/keys/key.ts", 'import { team } from "#teams/team.ts";'],
  ["src/keys/key.ts", 'import { complete } from "#gateway/complete.ts";'],
  ["src/http/dispatch.ts", 'import { POST } from "#app/(rest)/key/generate/route.ts";'],
  ["src/app/(rest)/key/generate/route.ts", 'import { NextResponse } from "next/server";'],
  ["src/app/(rest)/key/generate/route.ts", 'import type { Prisma } from "#lib/prisma/client.ts";'],
  ["src/app/(rest)/key/generate/route.ts", 'import { PrismaClient } from "@prisma/client";'],
  ["src/app/(rest)/key/generate/route.ts", 'import { currentDb } from "#lib/db.ts";'],
  ["src/app/(rest)/key/generate/route.ts", 'import { appRouter } from "#trpc/root.ts";'],
  ["src/app/(portal)/portal/page.tsx", 'import { addCallback } from "#teams/add-callback.ts";'],
  ["src/app/(portal)/portal/page.tsx", 'import { type Team, addCallback } from "#teams/add-callback.ts";'],
  ["src/trpc/root.ts", 'import { complete } from "#gateway/complete.ts";'],
  ["src/ui/button.tsx", 'import { api } from "#trpc/client.tsx";'],
  ["src/client/client.ts", 'import { appRouter } from "#trpc/root.ts";'],
  ["src/keys/key.test.ts", 'import { team } from "#teams/team.ts";'],
  ["src/elsewhere/thing.ts", 'import { team } from "#teams/team.ts";'],
])("%s may not say: %s", async (filePath, text) => {
  expect(await rulesBroken(filePath, text)).toEqual(["house/may-import"]);
});

test.each([
  ["src/lib/seal.ts", 'import { sha256Hex } from "#lib/id.ts";'],
  ["src/lib/seal.ts", 'import { hash } from "node:crypto";'],
  ["src/logging/policy.ts", 'import { AppError } from "#lib/errors.ts";'],
  ["src/logging/deliver.ts", 'import type { Db } from "#lib/db.ts";'],
  ["src/logging/deliver.ts", 'import { type Db } from "#lib/db.ts";'],
  ["src/logging/deliver.ts", 'import { destinations } from "#logging/destinations/index.ts";'],
  ["src/logging/destinations/datadog.ts", 'import { destination } from "#logging/destinations/destination.ts";'],
  ["src/logging/destinations/datadog.ts", 'import type { LogRecord } from "#logging/record.ts";'],
  ["src/logging/destinations/datadog.ts", 'import { fetchUpstream } from "#lib/fetch-upstream.ts";'],
  ["src/http/route.ts", 'import { currentDb } from "#lib/db.ts";'],
  ["src/gateway/complete.ts", 'import { logCall } from "#logging/log-call.ts";'],
  ["src/app/(rest)/key/generate/route.ts", 'import { generateKey } from "#keys/generate-key.ts";'],
  ["src/app/(rest)/chat/completions/route.ts", 'export { POST } from "#app/(rest)/v1/chat/completions/route.ts";'],
  ["src/app/(portal)/portal/page.tsx", 'import type { Team } from "#teams/team.ts";'],
  ["src/app/page.tsx", 'import "./page.css";'],
  ["src/client/client.ts", 'import type { AppRouter } from "#trpc/root.ts";'],
  ["src/keys/key.test.ts", 'import { makeTeam } from "#testing/make.ts";'],
  ["src/keys/key.test.ts", 'import { startFakeOpenai } from "../../e2e/fakes/openai.ts";'],
  ["src/testing/make.ts", 'import { createTeam } from "#teams/create-team.ts";'],
  ["src/server.ts", 'import { dispatch } from "#http/dispatch.ts";'],
  ["e2e/fixtures.ts", 'import { findChromium } from "./browser.ts";'],
])("%s may say: %s", async (filePath, text) => {
  expect(await rulesBroken(filePath, text)).toEqual([]);
});

test("only lib/fetch-upstream.ts, tests and what stands beside the product use the global fetch", async () => {
  const text = 'export const answer = fetch("http://127.0.0.1");';
  expect(await rulesBroken("src/gateway/complete.ts", text)).toEqual(["no-restricted-globals"]);
  expect(await rulesBroken("src/lib/fetch-upstream.ts", text)).toEqual([]);
  expect(await rulesBroken("src/gateway/complete.test.ts", text)).toEqual([]);
  expect(await rulesBroken("bench/run.ts", text)).toEqual([]);
});

test("a file name is kebab-case", async () => {
  expect(await rulesBroken("src/keys/generateKey.ts", "")).toEqual(["house/file-name"]);
  expect(await rulesBroken("src/keys/generate-key.ts", "")).toEqual([]);
});
