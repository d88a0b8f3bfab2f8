import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatContract } from "./format-contract.ts";
import { contractPath, findBreaks, readContractVersion, writeContract } from "./router-contract.ts";

/**
 * `npm run client:contract`: writes down what the router takes and answers now. What would break an earlier caller is
 * refused unless `--breaking` is given; then the version is raised.
 */
const { values } = parseArgs({ options: { breaking: { type: "boolean", default: false } } });
const path = join(import.meta.dirname, "..", contractPath);
const kept = readFileSync(path, "utf8");
const version = readContractVersion(kept);
const current = writeContract(version);
const breaks = findBreaks(kept, current);

if (breaks.length > 0 && !values.breaking) {
  process.stderr.write(
    `Callers that were built against version ${String(version)} would stumble:\n- ${breaks.join("\n- ")}\n` +
      "Keep what they rely on, or accept it with: npm run client:contract -- --breaking\n",
  );
  process.exitCode = 1;
} else {
  const next = breaks.length > 0 ? version + 1 : version;
  writeFileSync(path, await formatContract(writeContract(next)));
  process.stdout.write(`${contractPath} is as the router is now, version ${String(next)}.\n`);
}
