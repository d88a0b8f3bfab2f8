import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { steadyWasmFlag } from "./src/lib/v8-flags.ts";

const globalSetup = "src/testing/global-setup.ts";

export default defineConfig({
  test: {
    include: ["src/**/*.test.{ts,tsx}", "e2e/{chaos,fakes}/**/*.test.ts", "scripts/**/*.test.ts"],
    ...(existsSync(globalSetup) ? { globalSetup: [globalSetup] } : {}),
    // Files share nothing, and the smallest machine that counts has two cores.
    reporters: ["default", "./scripts/vitest-failures-reporter.ts"],
    pool: "forks",
    maxWorkers: 2,
    execArgv: [steadyWasmFlag],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
