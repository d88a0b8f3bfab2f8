import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { destinations } from "#logging/destinations/index.ts";
import { startEverySink } from "../fakes/every-sink.ts";
import { startFakeAnthropic } from "../fakes/anthropic.ts";
import type { Recorder } from "../fakes/recorder.ts";
import { expect, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { makeKey, mustAdmin, until } from "./admin.ts";
import { everyCall } from "./every-call.ts";
import { makeOtherCases, type OtherCase } from "./other-cases.ts";

// Every route that calls a model x streamed or not x outcome x content x every destination x every level of redaction.

const levels = { off: {}, content: { turn_off_message_logging: true }, metadata_only: { redaction: "metadata_only" } };
type Level = keyof typeof levels;
const levelNames = ["off", "content", "metadata_only"] as const;

const appFolder = join(import.meta.dirname, "../../src/app/(rest)");

/** The routes that call a model, and so leave a log, each with the call type of its operation. */
async function findModelRoutes(): Promise<{ path: string; callType: string }[]> {
  const files = await readdir(appFolder, { recursive: true });
  const found: { path: string; callType: string }[] = [];
  for (const file of files.filter((name) => name.endsWith("route.ts")).toSorted()) {
    const callType = await findCallType(file);
    if (callType !== null) found.push({ path: `/${file.replace(/\/route\.ts$/, "")}`, callType });
  }
  return found;
}

/** What a route file's POST answers; null where it calls no model. */
async function findCallType(file: string): Promise<string | null> {
  const source = await readFile(join(appFolder, file), "utf8");
  const alias = /export \{[^}]*POST[^}]*\} from "#app\/\(rest\)\/([^"]+)"/.exec(source)?.[1];
  if (alias !== undefined) return findCallType(alias);
  const name = /export const POST = (?:call|form)Route\((\w+)/.exec(source)?.[1];
  if (name === undefined) return null;
  const operations = /from "#(gateway\/operations\/[\w-]+\.ts)"/.exec(source)?.[1] ?? "";
  const text = await readFile(join(import.meta.dirname, "../../src", operations), "utf8");
  const callType = new RegExp(`export const ${name}: Operation = \\{[^}]*?callType: "(\\w+)"`).exec(text)?.[1];
  if (callType === undefined) throw new Error(`The operation ${name} of ${file} was not found.`);
  return callType;
}

/** What is in a request. `secret` marks content, `kept` what survives the level `content`. */
type Marks = { secret: (field: string) => string; kept: (field: string) => string };

/** Parts of a chat request by the kind of content; every text in them is marked. */
const contents = {
  plain: ({ secret }: Marks) => ({
    history: [
      { role: "system", content: secret("system") },
      { role: "user", content: secret("earlier"), name: secret("name") },
      { role: "assistant", content: secret("answer") },
    ],
    fields: { stop: [secret("stop")] },
  }),
  tools: ({ secret, kept }: Marks) => ({
    history: [
      { role: "user", content: secret("asks") },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "call_1",
            type: "function",
            function: { name: kept("tool"), arguments: `{"q":"${secret("argument")}"}` },
          },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: secret("tool-result") },
    ],
    fields: {
      tools: [
        {
          type: "function",
          function: {
            name: kept("tool"),
            description: secret("tool-description"),
            parameters: {
              type: "object",
              properties: { [secret("parameter")]: { type: "string", enum: [secret("enum")] } },
            },
          },
        },
      ],
    },
  }),
  reasoning: ({ secret }: Marks) => ({
    history: [
      { role: "user", content: secret("riddle") },
      {
        role: "assistant",
        content: secret("solution"),
        reasoning_content: secret("thought"),
        refusal: secret("refusal"),
      },
    ],
    fields: {},
  }),
  images: ({ secret }: Marks) => ({
    history: [
      {
        role: "user",
        content: [
          { type: "text", text: secret("part") },
          { type: "image_url", image_url: { url: `https://example.com/${secret("image")}?q=${secret("query")}` } },
          { type: "input_audio", input_audio: { data: secret("audio"), format: "wav" } },
          { type: "file", file: { filename: secret("file-name"), file_data: secret("file-data") } },
        ],
      },
    ],
    fields: {},
  }),
  schema: ({ secret }: Marks) => ({
    history: [],
    fields: {
      response_format: {
        type: "json_schema",
        json_schema: { name: "x", description: secret("schema"), schema: { title: secret("title") } },
      },
    },
  }),
  metadata: ({ secret, kept }: Marks) => ({
    history: [],
    fields: {
      metadata: {
        own: secret("metadata"),
        nested: { deep: [secret("nested")] },
        spend_logs_metadata: { note: secret("spend") },
        ticket: kept("listed"),
        tags: [kept("tag")],
        trace_id: kept("trace"),
        session_id: kept("session"),
        trace_name: kept("trace-name"),
        generation_name: kept("generation-name"),
        trace_user_id: kept("trace-user"),
        run_name: kept("run-name"),
      },
      tags: [kept("top-tag")],
      user: kept("user"),
    },
  }),
};
type ContentName = keyof typeof contents;
const contentNames = ["plain", "tools", "reasoning", "images", "schema", "metadata"] as const;

/** What becomes of a call, by the words that the fake upstream obeys. */
const outcomes = [
  ["success", "echo"],
  ["answered with tools", "tools"],
  ["answered with reasoning", "reasoning_content"],
  ["refused by the model", "refusal"],
  ["upstream error that echoes the prompt", "error-400-echo"],
  ["upstream error", "error-500"],
  ["error within a stream", "error-mid-stream"],
  ["broken off", "break-mid-stream"],
  ["no JSON", "invalid-json"],
  ["timeout", "hang"],
  ["disconnect", "slow"],
  ["fallback", "echo"],
] as const;

const models: Readonly<Record<string, string>> = { timeout: "timing-out", fallback: "falling" };

type Case = {
  id: string;
  route: string;
  stream: boolean;
  outcome: string;
  behaviour: string;
  contents: readonly ContentName[];
};

/** `full`: every outcome with every kind of content; else every outcome with all of it, and each kind by itself. */
function makeCases(routes: readonly string[], full: boolean): Case[] {
  const cases: Omit<Case, "id">[] = [];
  for (const route of routes) {
    for (const stream of [false, true]) {
      for (const [outcome, behaviour] of outcomes) {
        cases.push({ route, stream, outcome, behaviour, contents: contentNames });
        if (!full && outcome !== "success") continue;
        for (const name of contentNames) cases.push({ route, stream, outcome, behaviour, contents: [name] });
      }
    }
  }
  return cases.map((each, index) => ({ ...each, id: `c${String(index)}x` }));
}

function marksOf({ id }: Case): Marks {
  return { secret: (field) => `canary-secret-${id}-${field}-end`, kept: (field) => `canary-kept-${id}-${field}-end` };
}

/** A chat request that carries all of it. */
function toBody(each: Case): Record<string, unknown> {
  const marks = marksOf(each);
  const prompt = `[[${each.behaviour}]] ${marks.secret("prompt")} one two three four five six`;
  const parts = each.contents.map((name) => contents[name](marks));
  const messages = [...parts.flatMap(({ history }): object[] => history), { role: "user", content: prompt }];
  const fields = Object.fromEntries(parts.flatMap((part) => Object.entries<unknown>(part.fields)));
  return { model: models[each.outcome] ?? "fake-model", stream: each.stream, ...fields, messages };
}

/** Sends a call and reads its answer, or leaves after its first bytes. */
async function send(sluice: SluiceProcess, key: string, each: Case): Promise<void> {
  const controller = new AbortController();
  const answer = fetch(`${sluice.url}${each.route}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "user-agent": "canary-secret-agent-end",
      "x-canary": "canary-never-header-end",
      "x-forwarded-for": "canary-never-address-end",
      cookie: "canary-never-cookie-end",
    },
    body: JSON.stringify(toBody(each)),
    signal: controller.signal,
  });
  if (each.outcome !== "disconnect") {
    await answer.then((response) => response.text()).catch(() => null);
    return;
  }
  await Promise.race([answer.then((response) => response.body?.getReader().read()), sleep(700)]).catch(() => null);
  controller.abort();
  await answer.catch(() => null);
}

/** How many deliveries the server's own figures show in a state. */
async function countIn(sluice: SluiceProcess, state: string): Promise<number> {
  const response = await fetch(`${sluice.url}/metrics`, { headers: { authorization: `Bearer ${sluice.masterKey}` } });
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("sluice_deliveries{"));
  return lines
    .filter((line) => line.includes(`state="${state}"`))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

function bytesOf({ requests }: Recorder): string {
  return requests
    .map(({ path, headers, body }) => `${path}\n${JSON.stringify(headers)}\n${body.toString("utf8")}`)
    .join("\n");
}

/** Marks end with a word of their own, because protobuf puts the next field right behind them. */
function canariesIn(bytes: string, kind: "secret" | "kept" | "never" | "\\w+"): string[] {
  return [...new Set(bytes.match(new RegExp(`canary-${kind}-[\\w-]+?-end`, "g")) ?? [])].toSorted();
}

/** Marks of a case that the unredacted record has to show. */
function expectedIn(each: Case): string[] {
  const text = JSON.stringify(toBody(each));
  return canariesIn(text, "\\w+");
}

type Options = {
  sluice: SluiceProcess;
  cases: readonly Case[];
  others: readonly OtherCase[];
  keys: readonly string[];
  deliveries: number;
};

/** Sends every case with every key, a few at a time, and waits until all their records are delivered. */
async function sendAll({ sluice, cases, others, keys, deliveries }: Options): Promise<void> {
  const calls = keys.flatMap((key) => [
    ...cases.map((each) => () => send(sluice, key, each)),
    ...others.map(
      ({ run, prompt }) =>
        () =>
          run({ openaiUrl: `${sluice.url}/v1`, anthropicUrl: sluice.url, key }, prompt),
    ),
  ]);
  const work = async (): Promise<void> => {
    for (let call = calls.shift(); call !== undefined; call = calls.shift()) await call();
  };
  await Promise.all(Array.from({ length: 16 }, work));
  await until("everything is delivered", async () => (await countIn(sluice, "delivered")) >= deliveries, 240_000);
  expect(await countIn(sluice, "delivered")).toBe(deliveries);
  expect(await countIn(sluice, "dead")).toBe(0);
}

async function checkMatrix(
  start: (config: Record<string, unknown>) => Promise<SluiceProcess>,
  options: { apiBase: string; full: boolean },
) {
  const found = await findModelRoutes();
  const routes = found.flatMap(({ path, callType }) =>
    callType === "acompletion" && !path.includes("[") ? [path] : [],
  );
  expect(routes).toContain("/v1/chat/completions");
  const callTypes = everyCall.map(({ callType }) => callType);
  expect(callTypes, "a call for each").toEqual(expect.arrayContaining(found.map(({ callType }) => callType)));
  const cases = makeCases(routes, options.full);
  const others = makeOtherCases(options.full);
  const anthropic = await startFakeAnthropic();
  const every = await startEverySink();
  const { variants } = every;
  const settable = Object.entries(destinations).flatMap(([name, { operatorOnly }]) => (operatorOnly ? [] : [name]));
  expect([...new Set(variants.map(({ callbackName }) => callbackName))].toSorted(), "a sink for each").toEqual(
    settable.toSorted(),
  );
  const params = { model: "openai/fake-model", api_base: options.apiBase, api_key: "sk-fake-upstream" };
  const sluice = await start({
    model_list: [
      { model_name: "fake-model", litellm_params: params },
      { model_name: "timing-out", litellm_params: { ...params, timeout: 1, stream_timeout: 1 } },
      { model_name: "falling", litellm_params: { ...params, api_base: "http://127.0.0.1:9/v1" } },
      {
        model_name: "claude-fake",
        litellm_params: { model: "anthropic/claude-fake", api_base: anthropic.url, api_key: "sk-ant-fake" },
      },
    ],
    router_settings: { fallbacks: [{ falling: ["fake-model"] }] },
    litellm_settings: {
      ...{ callbacks: ["local_files"], redaction_keep_metadata_keys: ["ticket"] },
      ...{ cache: true, cache_params: { type: "local", mode: "default_off" } },
    },
    general_settings: { google_token_uris: every.tokenUris },
  });
  const recorders = await Promise.all(
    variants.flatMap((variant) =>
      levelNames.map(async (level) => ({ variant, level, recorder: await every.record(variant) })),
    ),
  );
  const logging = recorders.map(({ variant, level, recorder }) => ({
    callback_name: variant.callbackName,
    callback_vars: { ...variant.vars(recorder.url), ...levels[level] },
  }));
  await mustAdmin(sluice, "/team/new", { team_id: "matrix-team", team_alias: "matrix-alias", metadata: { logging } });
  const teamKey = await makeKey(sluice, { team_id: "matrix-team", key_alias: "matrix-key" });
  const fileKeys = await Promise.all(
    levelNames.map((redaction) => makeKey(sluice, { key_alias: `matrix-files-${redaction}`, redaction })),
  );
  const calls = cases.length + others.reduce((sum, { records }) => sum + records, 0);
  const deliveries = calls * (recorders.length + levelNames.length);
  await sendAll({ sluice, cases, others, keys: [teamKey, ...fileKeys], deliveries });
  const files = await readFiles(sluice);
  const received = [
    ...recorders.map(({ variant, level, recorder }) => ({ title: variant.title, level, bytes: bytesOf(recorder) })),
    ...levelNames.map((level) => ({
      title: "local_files",
      level,
      bytes: linesOf(files.logs, `matrix-files-${level}`),
    })),
  ];
  checkReceived(received, cases, others);
  expect(canariesIn(sluice.logs(), "\\w+")).toEqual([]);
  for (const { name, bytes } of files.others) expect(bytes.includes("canary-"), name).toBe(false);
  await Promise.all([every.close(), anthropic.close()]);
}

type Received = { title: string; level: Level; bytes: string };

function checkReceived(received: readonly Received[], cases: readonly Case[], others: readonly OtherCase[]): void {
  const bytesAt = (title: string, level: Level): string =>
    received.find((each) => each.title === title && each.level === level)?.bytes ?? "";
  for (const title of new Set(received.map((each) => each.title))) {
    const open = bytesAt(title, "off");
    const content = bytesAt(title, "content");
    const shown = new Set(canariesIn(open, "\\w+"));
    const missing = cases.flatMap((each) =>
      expectedIn(each).flatMap((mark) => (shown.has(mark) ? [] : [`${each.route} ${each.outcome} ${mark}`])),
    );
    const missingOthers = others.flatMap(({ name, prompt }) =>
      canariesIn(prompt, "secret").every((mark) => shown.has(mark)) ? [] : [`${name} ${prompt}`],
    );
    expect([...missing, ...missingOthers], `${title}: what is not redacted arrives whole`).toEqual([]);
    expect(canariesIn(open, "never"), title).toEqual([]);
    expect(canariesIn(content, "secret"), `${title}: no content`).toEqual([]);
    expect(canariesIn(content, "kept"), `${title}: what survives`).toEqual(canariesIn(open, "kept"));
    expect(content, title).toContain("redacted-by-litellm");
    expect(canariesIn(bytesAt(title, "metadata_only"), "\\w+"), `${title}: metadata only`).toEqual([]);
    for (const level of levelNames) {
      for (const fact of ["fake-model", "matrix-"]) expect(bytesAt(title, level), `${title} ${level}`).toContain(fact);
    }
  }
}

/** The lines of the local files that belong to a key. */
function linesOf(text: string, alias: string): string {
  return text
    .split("\n")
    .filter((line) => line.includes(`"${alias}"`))
    .join("\n");
}

async function readFiles({
  dataDir,
}: SluiceProcess): Promise<{ logs: string; others: { name: string; bytes: Buffer }[] }> {
  let logs = "";
  const others: { name: string; bytes: Buffer }[] = [];
  for (const file of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    if (file.name.endsWith(".ndjson")) logs += await readFile(path, "utf8");
    else others.push({ name: path, bytes: await readFile(path) });
  }
  return { logs, others };
}

const env = { SLUICE_LOG_LEVEL: "trace" };

test("no content reaches a redacted destination of any kind, by any route, whatever becomes of a call; what is not redacted arrives whole", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(400_000);
  await checkMatrix((config) => startSluice({ config, env }), { apiBase: fakes.openai.baseUrl, full: false });
});

test("@long every outcome of a call with every kind of content keeps its redaction at every destination", async ({
  startSluice,
  fakes,
}) => {
  await checkMatrix((config) => startSluice({ config, env }), { apiBase: fakes.openai.baseUrl, full: true });
});
