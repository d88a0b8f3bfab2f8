// `npm run check`: sets up, then runs every check, all of them even after one has failed, and ends with 1 where any
// did. `--full` and `--long` add what check-full.mjs lists; `--without-check` leaves only that.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFailures } from "./failures.mjs";
import { failWith, projectEnv, root, run, setUp } from "./setup.mjs";
import { fullSteps, longSteps } from "./check-full.mjs";

/** One check: what it is called, what the project's Node runs, and what it needs in the environment. */
const checkSteps = [
  { name: "format", command: ["node_modules/prettier/bin/prettier.cjs", "--check", "."] },
  { name: "lint", command: ["node_modules/eslint/bin/eslint.js", "."] },
  { name: "types", command: ["node_modules/typescript/bin/tsc", "--noEmit"] },
  { name: "tests", command: ["node_modules/vitest/vitest.mjs", "run"] },
  {
    name: "end-to-end",
    command: ["node_modules/@playwright/test/cli.js", "test", "--config", "e2e/playwright.config.ts"],
  },
];

async function check(node) {
  const wanted = process.argv.slice(2);
  const steps = [
    ...(wanted.includes("--without-check")
      ? []
      : checkSteps.map((step) => ({ ...step, run: () => runStep(node, step) }))),
    ...(wanted.includes("--full") ? fullSteps((step) => runStep(node, step)) : []),
    ...(wanted.includes("--long") ? longSteps((step) => runStep(node, step)) : []),
  ];
  const results = [];
  for (const step of steps) results.push(await timed(step));
  tellAgain();
  for (const { name, seconds, fault } of results) {
    console.log(
      `${fault === null ? "passed" : "FAILED"}  ${seconds.padStart(6)} s  ${name}${fault ? `: ${fault}` : ""}`,
    );
  }
  const failed = results.filter(({ fault }) => fault !== null).length;
  console.log(`\nchecks: ${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** Prints what the steps said of their failed tests once more, as their own output is far up by then. */
function tellAgain() {
  const failures = readFailures(failuresFile);
  console.log(failures === "" ? "" : `\n── what failed ──\n${failures}`);
}

/** Runs a step and prints its name before and its time after. A step resolves with null or with what went wrong. */
async function timed(step) {
  const startedMs = performance.now();
  console.log(`\n── ${step.name} ──`);
  const fault = await step.run().catch((error) => (error instanceof Error ? error.message : String(error)));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`── ${step.name}: ${fault === null ? "passed" : `FAILED: ${fault}`} after ${seconds} s`);
  return { name: step.name, seconds, fault };
}

async function runStep(node, { command, env = {} }) {
  const code = await run(node, command, {
    cwd: root,
    env: projectEnv(node, { SLUICE_FAILURES_FILE: failuresFile, ...env }),
  });
  return code === 0 ? null : `ended with ${code}`;
}

const failuresFolder = mkdtempSync(join(tmpdir(), "sluice-check-"));
const failuresFile = join(failuresFolder, "failures.txt");
process.once("exit", () => rmSync(failuresFolder, { recursive: true, force: true }));

// An ordinary end, so that what was started is ended with us.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(128));

await setUp()
  .then(check)
  .then((code) => process.exit(code), failWith);
