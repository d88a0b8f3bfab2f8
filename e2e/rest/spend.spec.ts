import { expect, test, type Fakes } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, makeKey, mustAdmin, until } from "./admin.ts";

function pricedConfig(fakes: Fakes): Record<string, unknown> {
  const prices = { input_cost_per_token: 0.001, output_cost_per_token: 0.002 };
  const params = { model: "openai/fake-model", api_base: fakes.openai.baseUrl, api_key: "sk-fake-upstream", ...prices };
  return { model_list: [{ model_name: "fake-model", litellm_params: params }] };
}

/** Asks, and tells what the answer says that it cost. */
async function costOf(sluice: SluiceProcess, key: string, content: string): Promise<number> {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content }] }),
  });
  await response.text();
  return Number(response.headers.get("x-litellm-response-cost") ?? 0);
}

async function spendOf(sluice: SluiceProcess, path: string, place: string): Promise<number> {
  const { body } = await admin(sluice, path);
  const info: unknown = body[place];
  return typeof info === "object" && info !== null && "spend" in info ? Number(info.spend) : Number.NaN;
}

test("what calls cost reaches key, team and user whole, in batches, also where the gateway is killed in between", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(180_000);
  const sluice = await startSluice({ config: pricedConfig(fakes) });
  await mustAdmin(sluice, "/team/new", { team_id: "spenders" });
  await mustAdmin(sluice, "/user/new", { user_id: "spender", auto_create_key: false });
  const key = await makeKey(sluice, { team_id: "spenders", user_id: "spender" });
  let cost = 0;
  for (let round = 0; round < 3; round += 1) {
    const asked = Array.from({ length: 40 }, (_, call) => costOf(sluice, key, "word ".repeat(1 + (call % 7))));
    cost += (await Promise.all(asked)).reduce((sum, one) => sum + one, 0);
    await costOf(sluice, key, "[[error-500]]");
    await sluice.kill();
    await sluice.restart();
  }
  expect(cost).toBeGreaterThan(1);
  await until(
    "the spend arrived",
    async () => Math.abs((await spendOf(sluice, `/key/info?key=${key}`, "info")) - cost) < 1e-9,
  );
  expect(await spendOf(sluice, "/team/info?team_id=spenders", "team_info")).toBeCloseTo(cost, 9);
  expect(await spendOf(sluice, "/user/info?user_id=spender", "user_info")).toBeCloseTo(cost, 9);
});
