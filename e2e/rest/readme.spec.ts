import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { isObject } from "../fakes/fake-server.ts";
import { startFakeGcs } from "../fakes/gcs.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import { expect, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { until } from "./admin.ts";
import { blocksOf, findDifferences, runStep, sectionOf, stepsOf, type Replacements, type Step } from "./transcript.ts";

test.slow();

const repositoryRoot = join(import.meta.dirname, "../..");
const project = { id: "project-1", name: "Project 1", publicKey: "pk", secretKey: "sk_" };

let folder: string;

test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-readme-"));
});

test.afterEach(() => rm(folder, { recursive: true, force: true }));

async function readSection(heading: string): Promise<string> {
  return sectionOf(await readFile(join(repositoryRoot, "README.md"), "utf8"), heading);
}

function parseConfig(text: string): Record<string, unknown> {
  const config: unknown = parse(text);
  if (!isObject(config)) throw new Error("The configuration is no mapping.");
  return config;
}

/** What the README says, and what is there: this server's address, and the fake in the place of Langfuse's cloud. */
function replacementsFor(sluice: SluiceProcess, langfuse: FakeLangfuse): Replacements {
  const { port } = new URL(sluice.url);
  const hosts = ["localhost", "0.0.0.0", "127.0.0.1"].map((host) => [`${host}:4000`, `${host}:${port}`] as const);
  const fake = [
    ["https://cloud.langfuse.com", langfuse.url],
    ["cloud.langfuse.com", new URL(langfuse.url).host],
  ] as const;
  return new Map([...hosts, ...fake]);
}

async function expectAsShown(steps: readonly Step[], replacements: Replacements, masterKey: string): Promise<void> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, NODE_ENV: "test" as const, SLUICE_KEY: masterKey };
  for (const step of steps) {
    expect.soft(await runStep(step, replacements, { cwd: folder, env }), step.command).toEqual([]);
  }
}

test("the first commands of the README work on the default configuration", async ({ startSluice }) => {
  const config = parseConfig(await readFile(join(repositoryRoot, "config.yaml"), "utf8"));
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({ config });
  await mkdir(join(folder, "data"));
  await writeFile(join(folder, "data", "master-key"), sluice.masterKey);
  const start = stepsOf(await readSection("Start"));
  const give = stepsOf(await readSection("Give a team its own Langfuse project"));
  expect([start, give].map((steps) => steps.length)).toEqual([1, 1]);
  await expectAsShown([...start, ...give], replacementsFor(sluice, langfuse), sluice.masterKey);
  await langfuse.close();
});

test("every curl line of LiteLLM's documentation in the README gets the answer that is shown", async ({
  startSluice,
}) => {
  const section = await readSection("The curl lines of LiteLLM's documentation, against Sluice");
  const [yaml] = blocksOf(section).filter(({ language }) => language === "yaml");
  const [langfuse, gcs] = await Promise.all([startFakeLangfuse({ projects: [project] }), startFakeGcs()]);
  const accountFile = join(folder, "service-account.json");
  await writeFile(accountFile, gcs.addTenant("my-gcs-bucket").json);
  const sluice = await startSluice({
    config: { ...parseConfig(yaml?.text ?? ""), general_settings: { google_token_uris: [gcs.tokenUri] } },
    env: {
      SLUICE_MASTER_KEY: "sk-1234",
      GCS_SERVICE_ACCOUNT: accountFile,
      LANGFUSE_PUBLIC_KEY: project.publicKey,
      LANGFUSE_SECRET_KEY: project.secretKey,
      LANGFUSE_PUB_KEY_1: "pk-1",
      LANGFUSE_PRIVATE_KEY_1: "sk-1",
      LANGFUSE_PUB_KEY_2: "pk-2",
      LANGFUSE_SECRET_2: "sk-2",
    },
  });
  const steps = stepsOf(section);
  expect(steps.length).toBeGreaterThan(12);
  expect(steps.filter(({ shown }) => shown === null)).toEqual([]);
  await expectAsShown(steps, replacementsFor(sluice, langfuse), sluice.masterKey);
  const users = () => langfuse.project(project.id).spans.map(({ userId }) => userId);
  await until("the calls of the key arrived", () => users().includes("user-id2") && users().includes("hello"));
  await Promise.all([langfuse.close(), gcs.close()]);
});

test("an answer that differs from what is shown is told, and what is left out is not", () => {
  const answer = 'HTTP/1.1 200 OK\r\nx-sluice-log: none\r\ndate: now\r\n\r\n{"id":"call-7","list":[{"a":1,"b":null}]}';
  const shown = (body: string, header = "x-sluice-log: none"): string => `HTTP/1.1 200 OK\n${header}\n…\n\n${body}`;
  expect(findDifferences(shown('{"id":"call-…",…}'), answer)).toEqual([]);
  expect(findDifferences(shown('{"id":"call-7","list":[{…,"b":null}]}'), answer)).toEqual([]);
  for (const wrong of [
    shown('{"id":"call-…",…}', "x-sluice-log: disabled"),
    shown('{"id":"call-…"}'),
    shown('{"id":"call-8",…}'),
    shown('{"id":7,…}'),
    shown('{"list":[],…}'),
    shown('{"list":[{"a":1}],…}'),
    shown('{"more":null,…}'),
    shown('{"id":"call-7"'),
  ]) {
    expect(findDifferences(wrong, answer), wrong).not.toEqual([]);
  }
});
