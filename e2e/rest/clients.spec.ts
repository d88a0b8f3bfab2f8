import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, test } from "../fixtures.ts";
import { installFromPypi } from "../python-venv.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { comparable, withoutPrefix } from "./comparable.ts";

/** Exact, so that a run says the same today and tomorrow. `CLIENTS_PYTHON` names a Python that has them already. */
const packages = ["openai==2.54.0", "langchain-openai==1.7.3"];

const Exchanged = z.object({
  name: z.string(),
  prompt: z.string(),
  got: z.array(z.json()),
  failure: z.looseObject({ body: z.string().transform(toOwnWords).optional() }).nullable(),
});

/** What is said in the body that an error of the Python client quotes; a code is LiteLLM's there, the status. */
function toOwnWords(text: string): string {
  return withoutPrefix(/'message': (["'])(.*?)\1, '/.exec(text)?.[2] ?? text);
}

let folder = "";
let python = "";
test.beforeAll(async () => {
  test.setTimeout(600_000);
  folder = await mkdtemp(join(tmpdir(), "sluice-clients-"));
  python = process.env.CLIENTS_PYTHON ?? join(await installFromPypi(folder, packages), "python");
});
test.afterAll(() => rm(folder, { recursive: true, force: true }));

/** The lines of JSON that a program prints. */
async function runPython(path: string, args: readonly string[]): Promise<unknown[]> {
  const limits = { timeout: 120_000, killSignal: "SIGKILL", maxBuffer: 50_000_000 } as const;
  const { stdout } = await promisify(execFile)(python, [path, ...args], limits);
  return stdout
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

test("OpenAI's Python client and LangChain get through Sluice what they get from the upstream, field by field @long", async ({
  sluice,
  fakes,
}) => {
  test.setTimeout(600_000);
  const prompts = {
    plain: /Echo|\d/,
    "[[tools]] plain": /Paris|\d/,
    "[[error-mid-stream]] a b c d e f": /server had an error|Echo|\d/,
    "[[error-400-echo]] quoted": /was flagged/,
    "[[error-429]]": /429/,
    "[[error-context]]": /maximum context length/,
  };
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const exchange = async (url: string, key: string) =>
    z
      .array(Exchanged)
      .parse(await runPython(join(import.meta.dirname, "every-call.py"), [url, key, pixel, ...Object.keys(prompts)]));
  const direct = await exchange(fakes.openai.baseUrl, "sk-direct");
  const through = await exchange(`${sluice.url}/v1`, await makeKey(sluice, {}));
  expect(direct).toHaveLength(20 * Object.keys(prompts).length);
  expect(through).toHaveLength(direct.length);
  for (const [index, expected] of direct.entries()) {
    const { name, prompt } = expected;
    const shows = new Map<string, RegExp>(Object.entries(prompts)).get(prompt) ?? /never/;
    expect.soft(JSON.stringify([expected.got, expected.failure]), `${name}, asked directly: ${prompt}`).toMatch(shows);
    expect.soft(comparable(through[index]), `${name}: ${prompt}`).toEqual(comparable(expected));
  }
});

/** Every way to ask that an application has, each with a prompt of its own; what came back is a line of JSON. */
const program = `
import asyncio, json, sys
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI

base_url, api_key = sys.argv[1], sys.argv[2]
options = {"base_url": base_url, "api_key": api_key, "max_retries": 0}
client, patient = OpenAI(**options), AsyncOpenAI(**options)
chat = ChatOpenAI(model="fake-model", user="grace", **options)

def tell(prompt, answer, prompt_tokens, completion_tokens):
    print(json.dumps({"prompt": prompt, "answer": answer, "input": prompt_tokens, "output": completion_tokens}))

def body(prompt, **more):
    return {"model": "fake-model", "user": "grace", "messages": [{"role": "user", "content": prompt}], **more}

def tell_completion(prompt, completion):
    usage = completion.usage
    tell(prompt, completion.choices[0].message.content, usage.prompt_tokens, usage.completion_tokens)

def tell_chunks(prompt, chunks):
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    usage = next((chunk.usage for chunk in chunks if chunk.usage), None)
    tell(prompt, text, usage and usage.prompt_tokens, usage and usage.completion_tokens)

def tell_message(prompt, message):
    usage = message.usage_metadata or {}
    tell(prompt, message.content, usage.get("input_tokens"), usage.get("output_tokens"))

def joined(chunks):
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole

async def ask_patiently():
    tell_completion("openai async", await patient.chat.completions.create(**body("openai async")))
    stream = await patient.chat.completions.create(**body("openai async streamed", stream=True))
    tell_chunks("openai async streamed", [chunk async for chunk in stream])
    tell_message("langchain async", await chat.ainvoke("langchain async"))
    tell_message("langchain async streamed", joined([chunk async for chunk in chat.astream("langchain async streamed")]))

tell_completion("openai", client.chat.completions.create(**body("openai")))
tell_chunks("openai streamed", list(client.chat.completions.create(**body("openai streamed", stream=True))))
counted = body("openai counted", stream=True, stream_options={"include_usage": True})
tell_chunks("openai counted", list(client.chat.completions.create(**counted)))
tell_message("langchain", chat.invoke("langchain"))
tell_message("langchain streamed", joined(list(chat.stream("langchain streamed"))))
for prompt, message in zip(["batch one", "batch two"], chat.batch(["batch one", "batch two"])):
    tell_message(prompt, message)
asyncio.run(ask_patiently())
`;

const Told = z.object({
  prompt: z.string(),
  answer: z.string(),
  input: z.number().nullable(),
  output: z.number().nullable(),
});

test("what OpenAI's Python client and LangChain ask and get is what their team's log says, once each @long", async ({
  sluice,
}) => {
  const project = makeProject("clients");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const team_id = randomUUID();
  try {
    await mustAdmin(sluice, "/team/new", { team_id });
    const callback_vars = langfuseVars(langfuse.url, project);
    await mustAdmin(sluice, `/team/${team_id}/callback`, { callback_name: "langfuse", callback_vars });
    const key = await makeKey(sluice, { team_id });

    await writeFile(join(folder, "ask.py"), program);
    const told = z.array(Told).parse(await runPython(join(folder, "ask.py"), [`${sluice.url}/v1`, key]));
    expect(told).toHaveLength(11);

    const spans = () => langfuse.project("clients").spans;
    await until("all records arrived", () => spans().length >= told.length);
    // What would come twice comes within this time.
    await sleep(1_000);
    expect(spans()).toHaveLength(told.length);
    for (const { prompt, answer, input, output } of told) {
      expect(answer).toBe(`Echo: ${prompt}`);
      const [span, ...others] = spans().filter((each) => JSON.stringify(each.input).includes(JSON.stringify(prompt)));
      expect(others, prompt).toEqual([]);
      expect(span, prompt).toMatchObject({
        receivedCount: 1,
        level: "DEFAULT",
        userId: "grace",
        input: { messages: [{ role: "user", content: prompt }] },
        output: { role: "assistant", content: answer },
        metadata: { user_api_key_team_id: team_id },
      });
      expect(span?.usage?.input, prompt).toBeGreaterThan(0);
      if (input !== null) expect(span?.usage, prompt).toMatchObject({ input, output });
    }
    expect(told.filter(({ input }) => input !== null).length).toBeGreaterThanOrEqual(7);
  } finally {
    await langfuse.close();
  }
});
