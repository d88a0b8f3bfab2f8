import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";
import ts from "typescript";
import { z } from "zod";
import { contractPath, findBreaks, readContractVersion, writeContract } from "./router-contract.ts";

/**
 * `npm run client:pack [FOLDER]`: makes the typed client a package without dependencies, one module and one declaration
 * file, and prints the path of its tarball (in `dist`, or in FOLDER).
 */
const root = join(import.meta.dirname, "..");
const folder = resolve(process.argv[2] ?? join(root, "dist"));

const Manifest = z.object({ version: z.string(), license: z.string() });

/** What callers see, in the order in which it is declared. */
const sources = ["procedure", "contract", "app-router", "create-sluice-client"];

const workshop = mkdtempSync(join(tmpdir(), "sluice-client-"));
try {
  await bundle(join(workshop, "index.js"));
  writeFileSync(join(workshop, "index.d.ts"), declare());
  writeFileSync(join(workshop, "package.json"), JSON.stringify(describe(), null, 2));
  cpSync(join(root, "docs/client.md"), join(workshop, "README.md"));
  cpSync(join(root, "LICENSE"), join(workshop, "LICENSE"));
  cpSync(join(root, "node_modules/@trpc/client/LICENSE"), join(workshop, "LICENSE.trpc"));
  mkdirSync(folder, { recursive: true });
  const [name = ""] = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: workshop,
    encoding: "utf8",
    env: { ...process.env, npm_config_update_notifier: "false" },
    shell: process.platform === "win32",
  })
    .trim()
    .split("\n")
    .slice(-1);
  process.stdout.write(`${join(folder, name)}\n`);
} finally {
  rmSync(workshop, { recursive: true, force: true });
}

/** The module, with the parts of tRPC's client that it needs. */
async function bundle(file: string): Promise<void> {
  const entry = join(root, "src/client/create-sluice-client.ts");
  const contract = join(root, "src/client/contract.ts");
  const id = "sluice-client";
  const build = await rolldown({
    input: id,
    platform: "neutral",
    logLevel: "warn",
    resolve: { mainFields: ["module", "main"], conditionNames: ["import", "default"] },
    plugins: [
      {
        name: "entry",
        resolveId: (source) => (source === id ? source : null),
        load: (source) =>
          source === id
            ? `export * from ${JSON.stringify(entry)}; export { contractVersion } from ${JSON.stringify(contract)};`
            : null,
      },
    ],
  });
  await build.write({ file, format: "esm", comments: { legal: true, jsdoc: false, annotation: false } });
  await build.close();
}

/** The declarations of all sources in one file, which imports nothing. The contract is that of the router now. */
function declare(): string {
  const kept = readFileSync(join(root, contractPath), "utf8");
  const current = writeContract(readContractVersion(kept));
  const breaks = findBreaks(kept, current);
  if (breaks.length > 0) throw new Error(`See npm run client:contract: ${breaks.join(", ")}.`);
  const parts = sources.map((name) => {
    const path = join(root, "src/client", `${name}.ts`);
    const text = path.endsWith(contractPath) ? current : readFileSync(path, "utf8");
    const compilerOptions = { strict: true, isolatedDeclarations: true };
    const { outputText, diagnostics = [] } = ts.transpileDeclaration(text, {
      fileName: path,
      compilerOptions,
    });
    const [fault] = diagnostics;
    if (fault) throw new Error(ts.flattenDiagnosticMessageText(fault.messageText, "\n"));
    return outputText.replaceAll(/^import type .* from "#client\/.*";\n/gm, "").replaceAll(/^export \{\};\n/gm, "");
  });
  const text = parts.join("\n");
  const foreign = /^import .*$|\bimport\(|\bfrom "/m.exec(text);
  if (foreign) throw new Error(`The declarations would import something: ${foreign[0]}`);
  return text;
}

/** The package's own description. Its version is the product's. */
function describe(): object {
  const ours = Manifest.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  return {
    name: "sluice-client",
    ...ours,
    description: "The typed client of Sluice, the LLM gateway where every team owns its logs",
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    exports: { ".": { types: "./index.d.ts", default: "./index.js" } },
    types: "./index.d.ts",
    files: ["index.js", "index.d.ts", "LICENSE.trpc"],
  };
}
