import { expect } from "../fixtures.ts";
import { everyCall, type Target } from "./every-call.ts";

/** What becomes of the calls of the other operations, which their own clients make. */
const otherBehaviours = ["echo", "thinking", "error-400-echo", "error-mid-stream"] as const;

/** A call of another kind: its prompt holds the one mark. `records`: how many calls it makes. */
export type OtherCase = { name: string; prompt: string; records: number; run: (typeof everyCall)[number]["run"] };

/** The calls of every other operation, those that are translated and those that the cache answers; `full`: all of these. */
export function makeOtherCases(full: boolean): OtherCase[] {
  const others = everyCall.filter(({ callType }) => callType !== "acompletion");
  const kinds = [
    ...others.map(({ name, run }) => ({ name, run, records: 1, behaviours: otherBehaviours })),
    ...(full ? [true, false] : [true]).flatMap((stream) => [
      ...translatedKinds.map(({ name, path, model }) => ({
        ...{ name, records: 1, behaviours: full ? translatedBehaviours : fewBehaviours },
        run: ({ anthropicUrl, key }: Target, prompt: string) =>
          post(`${anthropicUrl}${path}`, key, { model, stream, prompt }),
      })),
      {
        ...{
          name: "answered from the cache",
          records: 2,
          behaviours: full ? (["echo", "tools"] as const) : (["tools"] as const),
        },
        run: ({ anthropicUrl, key }: Target, prompt: string) => askTwice(anthropicUrl, key, { stream, prompt }),
      },
    ]),
  ];
  return kinds.flatMap(({ behaviours, ...kind }, place) =>
    behaviours.map((behaviour) => ({
      ...kind,
      prompt: `[[${behaviour}]] one two canary-secret-o${String(place)}x-${behaviour}-end`,
    })),
  );
}

/** Calls whose words are others upstream. */
const translatedKinds = [
  { name: "translated to Anthropic's wire", path: "/v1/chat/completions", model: "claude-fake" },
  { name: "translated from Anthropic's wire", path: "/v1/messages", model: "fake-model" },
];
const translatedBehaviours = ["echo", "tools", "thinking", "error-400-echo", "error-mid-stream"] as const;
const fewBehaviours = ["tools", "error-400-echo"] as const;

async function post(
  url: string,
  key: string,
  { prompt, ...more }: { prompt: string } & Readonly<Record<string, unknown>>,
): Promise<Response> {
  const tool = { name: "look_up", parameters: { type: "object" } };
  const tools = url.endsWith("/messages")
    ? [{ name: "look_up", input_schema: tool.parameters }]
    : [{ type: "function", function: tool }];
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ max_tokens: 100, tools, messages: [{ role: "user", content: prompt }], ...more }),
  });
  const bytes = await answer.arrayBuffer();
  return new Response(bytes, answer);
}

/** Asks what is kept for later calls, and again. */
async function askTwice(url: string, key: string, asked: { stream: boolean; prompt: string }): Promise<void> {
  const request = { model: "fake-model", cache: { "use-cache": true }, ...asked };
  const ask = () => post(`${url}/v1/chat/completions`, key, request);
  const answers = [await ask(), await ask()];
  expect(answers.map(({ headers }) => headers.has("x-litellm-cache-key"))).toEqual([false, true]);
}
