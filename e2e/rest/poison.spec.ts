import OpenAI from "openai";
import { z } from "zod";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const project = makeProject("poison");
const nul = "a\u0000b";

const Usage = z.object({
  result: z.object({
    data: z.object({ models: z.array(z.object({ model: z.string(), calls: z.number() })) }),
  }),
});

test("a NUL in names is refused, in content it is delivered, and usage of all teams is counted on", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(90_000);
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const wildcard = { model: "openai/*", api_base: fakes.openai.baseUrl, api_key: "sk-fake-upstream" };
  const config = fakeModelConfig(fakes);
  const models = z.array(z.unknown()).parse(config["model_list"]);
  const sluice = await startSluice({
    config: { ...config, model_list: [...models, { model_name: "*", litellm_params: wildcard }] },
  });
  const clients: OpenAI[] = [];
  for (const team_id of ["poison-a", "poison-b"]) {
    await mustAdmin(sluice, "/team/new", { team_id });
    const callback_vars = langfuseVars(langfuse.url, project);
    await mustAdmin(sluice, `/team/${team_id}/callback`, { callback_name: "langfuse", callback_vars });
    const apiKey = await makeKey(sluice, { team_id });
    clients.push(new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 }));
  }
  const [first, second] = clients;
  if (!first || !second) throw new Error("There are two clients.");
  for (const model of [nul, `openai/${nul}`, "half \ud800", `m${"x".repeat(5_000)}`]) {
    const refusal = first.chat.completions.create({ model, messages: [{ role: "user", content: "hello" }] });
    await expect(refusal).rejects.toMatchObject({ status: 400, param: "model" });
  }
  const answered = await first.chat.completions.create({
    model: "fake-model",
    messages: [{ role: "user", content: `prompt ${nul} end` }],
    metadata: { note: nul },
    safety_identifier: nul,
  });
  expect(answered.choices[0]?.message.content).toContain("prompt");
  await second.chat.completions.create({ model: "fake-model", messages: [{ role: "user", content: "other team" }] });
  await until("both calls arrived", () => {
    const text = JSON.stringify(langfuse.project("poison").spans.map((span) => span.input));
    return text.includes("other team") && text.includes("prompt a\\u0000b end");
  });
  for (const team of ["poison-a", "poison-b"]) {
    const input = encodeURIComponent(JSON.stringify({ teamId: team }));
    await until(`usage of ${team} is counted`, async () => {
      const { body } = await admin(sluice, `/api/trpc/usage.ofTeam?input=${input}`);
      const { models: counted } = Usage.parse(body).result.data;
      return counted.some(({ model, calls }) => model === "fake-model" && calls === 1);
    });
  }
  expect(sluice.logs()).not.toContain("usage could not be stored");
  for (const [path, body] of [
    ["/team/new", { team_id: nul }],
    ["/team/new", { team_id: "poison-c", metadata: { [nul]: 1 } }],
    ["/key/generate", { key_alias: nul }],
    ["/user/new", { user_id: nul }],
    [`/v1/logs/${encodeURIComponent(nul)}/deliveries`, undefined],
    [`/v1/deliveries?record_id=${encodeURIComponent(nul)}`, undefined],
    [`/team/info?team_id=${encodeURIComponent(nul)}`, undefined],
  ] as const) {
    const { status } = await admin(sluice, path, body);
    expect([path, status]).toEqual([path, 422]);
  }
  expect((await admin(sluice, "/team/info?team_id=poison-c")).status).toBe(404);
  await langfuse.close();
});
