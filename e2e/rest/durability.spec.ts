import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { expect, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const project = makeProject("durable");

test("every answered call arrives although the gateway was killed while its destination was down", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const langfuse = await startFakeLangfuse({ projects: [project] });
  langfuse.setBehaviour({ status: 503 });
  const sluice = await startSluice({
    config: {
      model_list: [
        {
          model_name: "fake-model",
          litellm_params: { model: "openai/x", api_base: fakes.openai.baseUrl, api_key: "sk-u" },
        },
      ],
      general_settings: { delivery: { retry_max_seconds: 1 } },
    },
  });
  await mustAdmin(sluice, "/team/new", { team_id: "durable" });
  await mustAdmin(sluice, "/team/durable/callback", {
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, project),
  });
  const key = await makeKey(sluice, { team_id: "durable" });
  const client = new OpenAI({ apiKey: key, baseURL: `${sluice.url}/v1`, maxRetries: 0 });

  const answered = new Set<string>();
  let asked = 0;
  const stop = new AbortController();
  async function askOnAndOn(): Promise<void> {
    while (!stop.signal.aborted && asked < 2_000) {
      asked += 1;
      const prompt = `prompt ${String(asked)}`;
      try {
        if (asked % 3 === 0) {
          const stream = await client.chat.completions.create({
            model: "fake-model",
            messages: [{ role: "user", content: prompt }],
            stream: true,
          });
          let isFinished = false;
          for await (const chunk of stream) isFinished ||= chunk.choices[0]?.finish_reason === "stop";
          // The client ends its loop at `[DONE]`, and without it when the connection breaks; both end here.
          if (isFinished) answered.add(prompt);
        } else {
          await client.chat.completions.create({ model: "fake-model", messages: [{ role: "user", content: prompt }] });
          answered.add(prompt);
        }
      } catch {
        // Not answered: nothing was promised.
      }
    }
  }
  const clients = Array.from({ length: 16 }, askOnAndOn);
  await until("some calls were answered", () => answered.size > 150, 60_000);
  stop.abort();
  await sluice.kill();
  await Promise.all(clients);
  expect(answered.size).toBeGreaterThan(150);
  expect(langfuse.project("durable").spans).toHaveLength(0);

  await sluice.restart();
  langfuse.setBehaviour({});
  const arrived = (): string => JSON.stringify(langfuse.project("durable").spans.map((span) => span.input));
  await until("all answered calls arrived", () => langfuse.project("durable").spans.length >= answered.size, 60_000);
  await sleep(500);
  const text = arrived();
  expect([...answered].filter((prompt) => !text.includes(`"${prompt}"`))).toEqual([]);
  await langfuse.close();
});
