import { defineConfig } from "@playwright/test";

/** The long fault rounds are part of `npm run check:full` only. */
const long = process.env.SLUICE_LONG === "1";

/** Several gateways share a PostgreSQL: part of `npm run check:full`, which starts one or says why it cannot. */
const hasPostgres = process.env.DATABASE_URL !== undefined;

export default defineConfig({
  testDir: ".",
  outputDir: "../test-results",
  forbidOnly: process.env.CI !== undefined,
  fullyParallel: false,
  workers: 2,
  retries: 0,
  reporter: [["list"], ["./failures-reporter.ts"]],
  timeout: long ? 600_000 : 60_000,
  expect: { timeout: 10_000 },
  use: { trace: "off", screenshot: "off", video: "off" },
  ...(long ? {} : { grepInvert: /@long/ }),
  projects: [
    { name: "rest", testDir: "./rest" },
    // A browser is at the mercy of how fast pages are drawn; what the gateway does with logs is never tried twice.
    { name: "portal", testDir: "./portal", retries: 1 },
    ...(hasPostgres ? [{ name: "replicas", testDir: "./replicas" }] : []),
  ],
});
