// What `npm run check:full` adds: checks that take longer, or that need a program from outside npm. And what
// `npm run check:long` takes, which is too long for every change.
import { startPostgres } from "./postgres.mjs";

const playwright = ["node_modules/@playwright/test/cli.js", "test", "--config", "e2e/playwright.config.ts"];
const chaos = ["e2e/chaos/chaos.ts"];
const vitest = ["node_modules/vitest/vitest.mjs", "run"];

/** The steps, made of the function that runs a program of the project and resolves with what went wrong, or null. */
export function fullSteps(runStep) {
  return [
    {
      name: "long fault rounds",
      run: () =>
        runStep({ command: [...playwright, "--project", "rest", "--grep", "@long"], env: { SLUICE_LONG: "1" } }),
    },
    { name: "tests on PostgreSQL", run: () => onPostgres(runStep, vitest) },
    { name: "replicas on PostgreSQL", run: () => onPostgres(runStep, [...playwright, "--project", "replicas"]) },
    { name: "end-to-end on PostgreSQL", run: () => onPostgres(runStep, [...playwright, "--project", "rest"]) },
    { name: "chaos, 90 seconds each", run: () => runStep({ command: [...chaos, "--seconds", "90", "--seed", "13"] }) },
    { name: "schemathesis", run: () => runStep({ command: ["e2e/schemathesis.ts"] }) },
  ];
}

/** What `npm run check:long` takes: the same checks for longer, with chance in place of a fixed seed. */
export function longSteps(runStep) {
  const faultRounds = [...playwright, "--project", "rest", "--grep", "@long"];
  return [
    { name: "chaos, ten minutes each", run: () => runStep({ command: [...chaos, "--seconds", "600"] }) },
    {
      name: "long fault rounds on PostgreSQL",
      run: () => onPostgres((step) => runStep({ ...step, env: { ...step.env, SLUICE_LONG: "1" } }), faultRounds),
    },
  ];
}

async function onPostgres(runStep, command) {
  const postgres = await startPostgres();
  try {
    return await runStep({ command, env: { DATABASE_URL: postgres.url } });
  } finally {
    await postgres.stop();
  }
}
