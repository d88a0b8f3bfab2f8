import type { ServerResponse } from "node:http";
import { isObject, parseJson, readBody, sendJson, startFakeServer } from "./fake-server.ts";

/**
 * An upstream of several wires that stops in the middle. It begins every answer with the same words, and the request's
 * `model` says what comes then: `ends` (no end event), `breaks` (the connection is destroyed), `hangs`, `fails` (a frame
 * with an error), `uncounted` (the end event without usage). Whole answers of `fails` are a 200 with an error in it.
 */
export type ScriptedUpstream = { url: string; baseUrl: string; calls: unknown[]; close(): Promise<void> };

/** The words that every answer begins with. */
export const scriptedWords = "one two three four five six";

type Wire = { begin: object[]; end: object[]; done: string };

const chunk = (choice: object): object => ({
  id: "c1",
  object: "chat.completion.chunk",
  model: "m",
  choices: [choice],
});
const wires: Record<string, Wire> = {
  "/v1/chat/completions": {
    begin: [chunk({ index: 0, delta: { role: "assistant", content: scriptedWords }, finish_reason: null })],
    end: [chunk({ index: 0, delta: {}, finish_reason: "stop" })],
    done: "data: [DONE]\n\n",
  },
  "/v1/completions": {
    begin: [{ id: "t1", object: "text_completion", choices: [{ index: 0, text: scriptedWords, finish_reason: null }] }],
    end: [{ id: "t1", object: "text_completion", choices: [{ index: 0, text: "", finish_reason: "stop" }] }],
    done: "data: [DONE]\n\n",
  },
  "/v1/responses": {
    begin: [
      { type: "response.created", response: { id: "r1", status: "in_progress", output: [] } },
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { type: "message", role: "assistant", content: [] },
      },
      { type: "response.output_text.delta", output_index: 0, delta: scriptedWords },
    ],
    end: [
      {
        type: "response.completed",
        response: {
          id: "r1",
          output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: scriptedWords }] }],
        },
      },
    ],
    done: "",
  },
  "/v1/messages": {
    begin: [
      { type: "message_start", message: { id: "m1", type: "message", role: "assistant", content: [] } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: scriptedWords } },
    ],
    end: [{ type: "message_stop" }],
    done: "",
  },
};

const failure = { type: "error", error: { type: "server_error", message: "the model fell over" } };

/** Starts it on 127.0.0.1. */
export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const calls: unknown[] = [];
  const server = await startFakeServer(async (request, response) => {
    const body = parseJson((await readBody(request)).toString("utf8"));
    calls.push(body);
    const wire = wires[request.url ?? ""];
    const script = isObject(body) ? String(body.model) : "";
    if (wire === undefined) return sendJson(response, { status: 404, body: failure });
    if (isObject(body) && body.stream === true) return stream(response, wire, script);
    if (script === "fails") return sendJson(response, { status: 200, body: failure });
    response.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
    response.write("{", () => (script === "breaks" ? response.destroy() : undefined));
  });
  return { ...server, baseUrl: `${server.url}/v1`, calls };
}

async function stream(response: ServerResponse, { begin, end, done }: Wire, script: string): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const frames = (events: readonly object[]): string =>
    events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  await new Promise<void>((resolve) => response.write(frames(begin), () => resolve()));
  if (script === "breaks") response.destroy();
  if (script === "ends") response.end();
  if (script === "fails") response.end(frames([failure]));
  if (script === "uncounted") response.end(frames(end) + done);
}
