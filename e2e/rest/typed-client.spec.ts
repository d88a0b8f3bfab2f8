import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startFakeGcs } from "../fakes/gcs.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { langfuseVars, makeProject, mustAdmin, until } from "./admin.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** An internal tool: what it is told to do stands in its argument, and it prints what it learnt. */
const tool = `
import { contractVersion, createSluiceClient, isSluiceError } from "sluice-client";

declare const process: { argv: string[] };
type Task = { url: string; apiKey: string; teamId: string; act: "attach" | "redact"; langfuse: Record<string, string>; gcs: Record<string, string>; key: string };
const { url, apiKey, teamId, act, langfuse, gcs, key }: Task = JSON.parse(process.argv[2] ?? "");
const sluice = createSluiceClient({ url, apiKey });

async function attach(): Promise<object> {
  const first = await sluice.callbacks.add.mutate({ teamId, callback_name: "langfuse", callback_vars: langfuse });
  const second = await sluice.callbacks.add.mutate({ teamId, callback_name: "gcs_bucket", callback_vars: gcs });
  const made = await sluice.keys.generate.mutate({ fields: { team_id: teamId, key_alias: teamId + " tool" } });
  const text: string = made.key;
  return { ids: [first.callback_id, second.callback_id], key: text, token: made.token, contractVersion };
}

async function redact(): Promise<object> {
  const { redaction } = await sluice.policy.setRedaction.mutate({ teamId, redaction: "content" });
  const [health, teams] = await Promise.all([sluice.keys.check.mutate({ key }), sluice.teams.list.query()]);
  // @ts-expect-error There is no such level.
  const wrong = await sluice.policy.setRedaction.mutate({ teamId, redaction: "all" }).catch((error: unknown) => error);
  const missing = await sluice.teams.get.query({ teamId: "missing" }).catch((error: unknown) => error);
  return {
    redaction,
    health,
    teams: teams.map(({ team_id }) => team_id),
    wrong: isSluiceError(wrong) ? wrong.data?.issues?.map(({ path }) => path) : null,
    missing: isSluiceError(missing) ? [missing.data?.appCode, typeof missing.data?.requestId] : null,
  };
}

console.log(JSON.stringify(await (act === "attach" ? attach() : redact())));
`;

const settings = {
  compilerOptions: {
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: "es2022",
    module: "nodenext",
    types: [],
    outDir: "out",
  },
  include: ["*.ts"],
};

test("the packed client compiles in an empty strict project and carries out what the portal does", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), "sluice-tool-"));
  const gcs = await startFakeGcs();
  try {
    const packed = await run(process.execPath, ["scripts/pack-client.ts", folder], { cwd: root });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "tool", private: true, type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
    writeFileSync(join(folder, "tool.ts"), tool);
    writeFileSync(join(folder, "documented.ts"), documentedExample());
    const install = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", packed.stdout.trim()];
    await run("npm", install, { cwd: folder, shell: process.platform === "win32" });
    await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."], { cwd: folder }).catch(
      (error: unknown) => Promise.reject(new Error(`It does not compile: ${JSON.stringify(error)}`)),
    );
    const declared = readFileSync(join(folder, "node_modules/sluice-client/index.d.ts"), "utf8");
    expect(declared).not.toMatch(/Prisma|NextRequest|@trpc|^import |import\(/m);
    const bundled = readFileSync(join(folder, "node_modules/sluice-client/index.js"), "utf8");
    expect(bundled).not.toMatch(/^import |\brequire\(|prisma|next-auth/m);

    const general_settings = { google_token_uris: [gcs.tokenUri], private_destination_hosts: ["127.0.0.1"] };
    const sluice = await startSluice({ config: { ...fakeModelConfig(fakes), general_settings } });
    const project = makeProject("typed-client");
    fakes.langfuse.addProject(project);
    const json = gcs.addTenant("typed-client-logs").json;
    await mustAdmin(sluice, "/team/new", { team_id: "typed" });
    const task = {
      ...{ url: sluice.url, apiKey: sluice.masterKey, teamId: "typed" },
      langfuse: langfuseVars(fakes.langfuse.url, project),
      gcs: { gcs_bucket_name: "typed-client-logs", gcs_service_account_json: json, gcs_api_endpoint: gcs.url },
    };
    const act = async (more: object): Promise<Record<string, unknown>> => {
      const { stdout } = await run(process.execPath, ["out/tool.js", JSON.stringify({ ...task, ...more })], {
        cwd: folder,
      });
      const printed: unknown = JSON.parse(stdout);
      return typeof printed === "object" ? { ...printed } : {};
    };
    const arrived = (): string[] => [
      JSON.stringify(fakes.langfuse.project(project.id).spans),
      gcs
        .objects("typed-client-logs")
        .map(({ content }) => content.toString("utf8"))
        .join("\n"),
    ];

    const attached = await act({ act: "attach" });
    expect(attached).toMatchObject({
      ids: [expect.any(String), expect.any(String)],
      contractVersion: expect.any(Number),
    });
    await call(sluice.url, String(attached["key"]), "a question that may be read");
    await until("both have the question", () => arrived().every((text) => text.includes("question that may be read")));

    const redacted = await act({ act: "redact", key: attached["token"] });
    expect(redacted).toMatchObject({
      redaction: "content",
      health: { destinations: [{ state: "healthy" }, { state: "healthy" }] },
      teams: ["typed"],
      wrong: ["redaction"],
      missing: ["not_found", "string"],
    });
    const before = arrived().map((text) => text.length);
    await call(sluice.url, String(attached["key"]), "a question that stays here");
    await until("both have the record", () => arrived().every((text, at) => text.length > (before[at] ?? 0)));
    expect(arrived().join("\n")).not.toContain("a question that stays here");
  } finally {
    await gcs.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The first example of the documentation; the empty project has no types of Node. */
function documentedExample(): string {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "docs/client.md"), "utf8"))?.[1];
  if (example === undefined) throw new Error("docs/client.md has no example.");
  return `declare const process: { env: Record<string, string | undefined> };\n${example}`;
}

async function call(url: string, key: string, prompt: string): Promise<void> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content: prompt }] }),
  });
  expect(answer.status).toBe(200);
}
