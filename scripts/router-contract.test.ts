import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { formatContract } from "./format-contract.ts";
import { contractPath, findBreaks, readContractVersion, writeContract } from "./router-contract.ts";

const kept = readFileSync(join(import.meta.dirname, "..", contractPath), "utf8");
let current: string;

beforeAll(async () => {
  current = await formatContract(writeContract(readContractVersion(kept)));
}, 240_000);

test("no earlier caller stumbles over the router as it is now, unless the contract's version was raised", () => {
  expect(findBreaks(kept, current), "Run npm run client:contract, and see what it says.").toEqual([]);
});

test("nothing of the server is in it", () => {
  expect(current).not.toMatch(/Prisma|\bctx\b|NextRequest|Uint8Array/);
  expect([...current.matchAll(/from "(.*)"/g)].map(([, source]) => source)).toEqual(["#client/procedure.ts"]);
});

const changes: [string, (text: string) => string, string[]][] = [
  [
    "a procedure is gone",
    (text) => text.replace(/\n {4}sessions: Query/, "\n    others: Query"),
    ["account.sessions is gone"],
  ],
  [
    "an answer lacks a field",
    (text) => text.replace("mayManage: boolean;", ""),
    ["teams.get does not answer all that it did"],
  ],
  [
    "an input asks for more",
    (text) =>
      text.replace("      {\n        current: string;", "      {\n        code: string;\n        current: string;"),
    ["account.changePassword does not take every earlier input"],
  ],
  [
    "what read now writes",
    (text) => text.replace("sessions: Query<", "sessions: Mutation<"),
    ["account.sessions was a query and is a mutation"],
  ],
  ["an answer says more", (text) => text.replace("mayManage: boolean;", "mayManage: boolean;\nmore: string;"), []],
  ["a procedure is new", (text) => text.replace("account: {", "account: {\n more: Query<void, string>;"), []],
  [
    "an input takes more",
    (text) => text.replace("        current: string;", "        current?: string | undefined;"),
    [],
  ],
];

test.each(changes)("where %s, earlier callers are told so", (_, change, breaks) => {
  const changed = change(kept);
  expect(changed).not.toBe(kept);
  expect(findBreaks(kept, changed)).toEqual(breaks);
});
