import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFakeOpenai } from "./fakes/openai.ts";
import { installFromPypi } from "./python-venv.ts";
import { mustAdmin } from "./rest/admin.ts";
import { startSluiceProcess, type SluiceProcess } from "./sluice-process.ts";

/**
 * Runs schemathesis (PyPI) over `/openapi.json` of a server of its own, on the embedded database and on this machine
 * alone. Ends with 1 where it finds a 5xx, a status or an answer that is not described, or one of the other faults that
 * it knows. Needs Python 3.10 or newer with venv, and PyPI: where they cannot be had, it fails and says so.
 */

/** Exact, so that a run says the same today and tomorrow. `SCHEMATHESIS` names a program that is installed already. */
const packageName = "schemathesis==4.32.5";
const runMs = 420_000;

/**
 * What a schema cannot say is refused all the same: a team that does not exist, an alias that is taken, a text that the
 * database cannot keep. So a refusal of data that fit their schema is no fault here; an undescribed one is.
 */
const checks = ["--checks", "all", "--exclude-checks", "positive_data_acceptance"];

process.exitCode = await main();

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-schemathesis-"));
  try {
    return await judge(
      process.env.SCHEMATHESIS ?? join(await installFromPypi(folder, [packageName]), "schemathesis"),
      folder,
    );
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function judge(program: string, folder: string): Promise<number> {
  const openai = await startFakeOpenai();
  const params = { model: "openai/fake-model", api_base: openai.baseUrl, api_key: "sk-fake-upstream" };
  const config = { model_list: [{ model_name: "gpt-4o", litellm_params: params }] };
  const sluice = await startSluiceProcess({ config });
  try {
    await makeWhatExamplesName(sluice);
    const header = ["--header", `Authorization: Bearer ${sluice.masterKey}`];
    const amount = ["--max-examples", "25", "--seed", "1", "--generation-database", "none"];
    const own = process.argv.slice(2);
    const command = [
      program,
      "run",
      `${sluice.url}/openapi.json`,
      ...header,
      ...checks,
      ...amount,
      "--no-color",
      ...own,
    ];
    const { code, printed } = await run(command, folder, runMs);
    // Its warnings are about how well its data hit: for who gives it options of his own.
    const counts = /^.*\d+ generated.*$/m.exec(printed)?.[0].trim();
    console.log(code === 0 && own.length === 0 && counts !== undefined ? `schemathesis: ${counts}` : printed);
    const faults = sluice
      .logs()
      .split("\n")
      .filter((line) => /"level":(50|60)/.test(line));
    for (const line of faults.slice(0, 20)) console.error(line);
    if (code === -1) console.error(`schemathesis did not start, or not end within ${runMs / 1000} s.`);
    return code === 0 && faults.length === 0 ? 0 : 1;
  } finally {
    await Promise.all([sluice.dispose(), openai.close()]);
  }
}

/** The objects that the examples of the description speak of, so that those find something. */
async function makeWhatExamplesName(sluice: SluiceProcess): Promise<void> {
  for (const team_id of ["team-search", "team-old"]) await mustAdmin(sluice, "/team/new", { team_id });
  await mustAdmin(sluice, "/team/member_add", {
    team_id: "team-search",
    member: { role: "user", user_id: "user-grace", user_email: "grace@example.com" },
  });
  for (const key of ["sk-9v6I-jf9-eYtg_PwM8OKgQ", "sk-old-jf9-eYtg_PwM8OKgQ", "sk-leaked-jf9-eYtg_PwM8OKgQ"]) {
    await mustAdmin(sluice, "/key/generate", { key, team_id: "team-search" });
  }
}

/**
 * Runs a program to its end and gives what it printed and its exit code; -1 where it cannot start, and where it was
 * killed after `timeoutMs`.
 */
async function run(
  [program = "", ...args]: readonly string[],
  cwd: string,
  timeoutMs: number,
): Promise<{ code: number; printed: string }> {
  const child = spawn(program, args, {
    ...{ cwd, timeout: timeoutMs, killSignal: "SIGKILL", env: { ...process.env, PYTHONUTF8: "1" } },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  return new Promise((resolve) => {
    child.once("error", () => resolve({ code: -1, printed }));
    child.once("close", (code) => resolve({ code: code ?? -1, printed }));
  });
}
