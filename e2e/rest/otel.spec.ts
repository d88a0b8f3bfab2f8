import OpenAI from "openai";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { startFakeCollector } from "../fakes/otlp.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const token = "Bearer secret-of-the-collector";

test("a team's calls arrive at its collector as GenAI spans, in JSON and in protobuf", async ({
  startSluice,
  fakes,
}) => {
  const collector = await startFakeCollector({ headers: { authorization: token } });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  for (const otel_protocol of ["http/json", "http/protobuf"]) {
    const team = `team ${otel_protocol}`;
    await mustAdmin(sluice, "/team/new", { team_id: team });
    await mustAdmin(sluice, `/team/${team}/callback`, {
      callback_name: "otel",
      callback_vars: { otel_endpoint: collector.url, otel_headers: `authorization=${token}`, otel_protocol },
    });
    const apiKey = await makeKey(sluice, { team_id: team });
    const client = new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
    const messages = [{ role: "user" as const, content: `asked over ${otel_protocol}` }];
    await client.chat.completions.create({ model: "fake-model", messages });
    const stream = await client.chat.completions.create({ model: "fake-model", messages, stream: true });
    for await (const chunk of stream) expect(chunk.object).toBe("chat.completion.chunk");
  }
  await until("all spans arrived", () => collector.spans.length >= 4);
  expect(collector.requests.map(({ problem }) => problem)).toEqual(collector.requests.map(() => null));
  for (const encoding of ["json", "protobuf"]) {
    const spans = collector.spans.filter((span) => span.encoding === encoding);
    expect(spans).toHaveLength(2);
    for (const span of spans) {
      expect(span).toMatchObject({ name: "chat fake-model", kind: 3, status: { code: 0 } });
      expect(span.attributes).toMatchObject({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "server.address": "127.0.0.1",
        "litellm.team.id": `team http/${encoding}`,
      });
      expect(span.attributes["gen_ai.input.messages"]).toBe(
        `[{"role":"user","parts":[{"type":"text","content":"asked over http/${encoding}"}]}]`,
      );
      expect(span.attributes["gen_ai.output.messages"]).toContain(`Echo: asked over http/${encoding}`);
    }
    expect(spans.filter((span) => span.attributes["gen_ai.request.stream"] === true)).toHaveLength(1);
  }
  await collector.close();
});

test("a team with an old Langfuse gets its calls by the old batch, with the operator's default tags", async ({
  startSluice,
  fakes,
}) => {
  const project = makeProject("old");
  const langfuse = await startFakeLangfuse({ projects: [project], version: "2.95.0" });
  const sluice = await startSluice({
    config: {
      ...fakeModelConfig(fakes),
      litellm_settings: { langfuse_default_tags: ["user_api_key_team_alias", "proxy_base_url"] },
    },
    env: { PROXY_BASE_URL: "https://gateway.example" },
  });
  await mustAdmin(sluice, "/team/new", { team_id: "old", team_alias: "Old guard" });
  await mustAdmin(sluice, "/team/old/callback", {
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, project),
  });
  const apiKey = await makeKey(sluice, { team_id: "old" });
  const client = new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
  await client.chat.completions.create({
    model: "fake-model",
    messages: [{ role: "user", content: "hello, old one" }],
  });
  await until("the trace arrived", () => langfuse.project("old").traces.length === 1);
  const [trace] = langfuse.project("old").traces;
  const [generation] = langfuse.project("old").observations;
  expect(trace?.body).toMatchObject({
    name: "litellm-acompletion",
    input: { messages: [{ content: "hello, old one" }] },
  });
  expect(trace?.body["tags"]).toEqual(
    expect.arrayContaining(["user_api_key_team_alias:Old guard", "proxy_base_url:https://gateway.example"]),
  );
  expect(generation?.body).toMatchObject({
    traceId: trace?.id,
    model: "fake-model",
    output: { role: "assistant", content: "Echo: hello, old one" },
    metadata: { user_api_key_team_id: "old" },
  });
  expect(langfuse.requests.map(({ path }) => path)).toEqual(["/api/public/otel/v1/traces", "/api/public/ingestion"]);
  await langfuse.close();
});
