import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { startFakeAnthropic } from "../fakes/anthropic.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, test } from "../fixtures.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const project = makeProject("translated");
const tools = [
  {
    type: "function" as const,
    function: { name: "get_weather", parameters: { type: "object", properties: { location: { type: "string" } } } },
  },
];

/** A streamed answer, put together as applications do. */
async function stream(client: OpenAI, prompt: string): Promise<{ text: string; argumentText: string; ends: string[] }> {
  const said = { text: "", argumentText: "", ends: new Array<string>() };
  const messages: ChatCompletionMessageParam[] = [{ role: "user", content: prompt }];
  const chunks = await client.chat.completions.create({ model: "claude", messages, tools, stream: true });
  for await (const { choices } of chunks) {
    for (const { delta, finish_reason: end } of choices) {
      said.text += delta.content ?? "";
      for (const call of delta.tool_calls ?? []) said.argumentText += call.function?.arguments ?? "";
      if (end !== null) said.ends.push(end);
    }
  }
  return said;
}

test("OpenAI's client talks to a model of another wire, and each of its calls is logged once", async ({
  startSluice,
  fakes,
}) => {
  const anthropic = await startFakeAnthropic();
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const params = { api_base: anthropic.url, api_key: "sk-ant-operator", output_cost_per_token: 0.001 };
  const claude = { model: "anthropic/claude-fake", ...params };
  const spare = { model: "openai/fake-model", api_base: fakes.openai.baseUrl, api_key: "sk-fake-upstream" };
  const sluice = await startSluice({
    config: {
      model_list: [
        { model_name: "claude", litellm_params: claude },
        { model_name: "busy", litellm_params: claude },
        { model_name: "spare", litellm_params: spare },
      ],
      router_settings: { fallbacks: [{ busy: ["spare"] }] },
    },
  });
  await mustAdmin(sluice, "/team/new", { team_id: "t", team_alias: "Team T" });
  await mustAdmin(sluice, "/team/t/callback", {
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, project),
  });
  const key = await makeKey(sluice, { team_id: "t", key_alias: "k" });
  const client = new OpenAI({ baseURL: `${sluice.url}/v1`, apiKey: key, maxRetries: 0 });
  const ask = (prompt: string, more: object = {}) =>
    client.chat.completions
      .create({ model: "claude", messages: [{ role: "user", content: prompt }], ...more })
      .withResponse();

  const plain = await ask("[[cached]] plain");
  expect(plain.data.choices[0]).toMatchObject({
    message: { content: "Echo: [[cached]] plain" },
    finish_reason: "stop",
  });
  expect(plain.data.usage).toMatchObject({
    prompt_tokens: 116,
    completion_tokens: 7,
    prompt_tokens_details: { cached_tokens: 100 },
  });
  expect(plain.response.headers.get("x-litellm-response-cost")).toBe("0.007");
  expect(plain.response.headers.get("llm_provider-request-id")).toMatch(/^req_/);
  expect(plain.response.headers.get("x-sluice-log")).toContain("langfuse=queued");

  const called = await ask("[[tools]] plain", { tools });
  const call = called.data.choices[0]?.message.tool_calls?.[0];
  expect(call?.type === "function" && JSON.parse(call.function.arguments)).toMatchObject({ location: "Paris" });

  expect(await stream(client, "streamed")).toMatchObject({ text: "Echo: streamed", ends: ["stop"] });
  const streamed = await stream(client, "[[tools]] streamed");
  expect(JSON.parse(streamed.argumentText)).toMatchObject({ location: "Paris" });
  expect(streamed.ends).toEqual(["tool_calls"]);

  await expect(ask("[[error-429]]")).rejects.toMatchObject({ status: 429, type: "rate_limit_error" });
  await expect(stream(client, "[[error-mid-stream]] a b c d e f")).rejects.toThrow("Overloaded");
  await expect(ask("never sent", { seed: 7 })).rejects.toMatchObject({ status: 400, param: "seed" });
  expect(JSON.stringify(anthropic.calls.map(({ body }) => body))).not.toContain("never sent");

  const stoodIn = await ask("[[error-529]] overloaded", { model: "busy" });
  expect(stoodIn.data.choices[0]?.message.content).toContain("Echo");
  expect(stoodIn.response.headers.get("x-litellm-attempted-fallbacks")).toBe("1");

  await until("all are logged", () => langfuse.project(project.id).spans.length >= 8);
  const { spans } = langfuse.project(project.id);
  expect(spans).toHaveLength(8);
  expect(spans.filter(({ level }) => level === "ERROR")).toHaveLength(3);
  for (const span of spans) {
    expect(span).toMatchObject({ traceName: "litellm-acompletion", metadata: { user_api_key_team_alias: "Team T" } });
    expect(JSON.stringify(span)).not.toContain("sk-ant-operator");
  }
  const logged = spans.find(({ input }) => JSON.stringify(input).includes("[[cached]] plain"));
  expect(logged).toMatchObject({ usage: { total: 123 }, level: "DEFAULT" });
  expect(
    JSON.stringify(spans.find(({ input }) => JSON.stringify(input).includes("[[tools]] streamed"))?.output),
  ).toContain("Paris");
  await Promise.all([anthropic.close(), langfuse.close()]);
});

test("Anthropic's client talks to a model of OpenAI's wire, and its calls are logged once under its own API", async ({
  sluice,
}) => {
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const teamId = "messages-on-openai";
  await mustAdmin(sluice, "/team/new", { team_id: teamId });
  await mustAdmin(sluice, `/team/${teamId}/callback`, {
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, project),
  });
  const client = new Anthropic({
    baseURL: sluice.url,
    apiKey: await makeKey(sluice, { team_id: teamId }),
    maxRetries: 0,
  });
  const ask = (content: string, more: object = {}) =>
    client.messages.create({ model: "fake-model", max_tokens: 100, messages: [{ role: "user", content }], ...more });
  const lookUp = {
    name: "look_up",
    input_schema: { type: "object" as const, properties: { location: { type: "string" } } },
  };

  const plain = await ask("plain", { system: "Be brief." });
  expect(plain).toMatchObject({
    type: "message",
    content: [{ type: "text", text: "Echo: plain" }],
    stop_reason: "end_turn",
  });
  expect(plain.usage.output_tokens).toBeGreaterThan(0);
  const streamed = client.messages.stream({
    model: "fake-model",
    max_tokens: 100,
    tools: [lookUp],
    messages: [{ role: "user", content: "[[tools]] streamed" }],
  });
  const message = await streamed.finalMessage();
  expect(message.stop_reason).toBe("tool_use");
  expect(message.content.find(({ type }) => type === "tool_use")).toMatchObject({ name: "look_up" });
  expect(message.usage.input_tokens).toBeGreaterThan(0);
  await expect(ask("[[error-429]]")).rejects.toMatchObject({ status: 429, type: "rate_limit_error" });
  await expect(ask("never sent", { top_k: 5 })).rejects.toMatchObject({ status: 400, type: "invalid_request_error" });

  await until("all are logged", () => langfuse.project(project.id).spans.length >= 4);
  const { spans } = langfuse.project(project.id);
  expect(spans).toHaveLength(4);
  for (const span of spans) expect(span).toMatchObject({ traceName: "litellm-anthropic_messages" });
  expect(spans.filter(({ level }) => level === "ERROR")).toHaveLength(2);
  const logged = spans.find(({ output }) => JSON.stringify(output).includes("Echo: plain"));
  expect(logged?.usage).toMatchObject({ total: plain.usage.input_tokens + plain.usage.output_tokens });
  await langfuse.close();
});
