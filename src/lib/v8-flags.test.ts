import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { noPretenuringFlag, steadyWasmFlag } from "#lib/v8-flags.ts";

test.each([steadyWasmFlag, noPretenuringFlag])("the Node that runs the product knows %s", (flag) => {
  const name = flag.split("=")[0]?.replace(/^--no-/, "--");
  const options = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8", maxBuffer: 16_000_000 });
  expect(options).toContain(`${String(name)} (`);
});

test("every process of the tests keeps calls out of WebAssembly as they are", () => {
  expect(process.execArgv).toContain(steadyWasmFlag);
});
