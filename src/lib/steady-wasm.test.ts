import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { steadyWasmFlag } from "#lib/steady-wasm.ts";

test("the Node that runs the product knows the flag", () => {
  const [name] = steadyWasmFlag.split("=");
  const options = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8", maxBuffer: 16_000_000 });
  expect(options).toContain(`${String(name)} (`);
});

test("every process of the tests runs with it", () => {
  expect(process.execArgv).toContain(steadyWasmFlag);
});
