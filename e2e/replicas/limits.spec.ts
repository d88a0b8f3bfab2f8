import { setTimeout as sleep } from "node:timers/promises";
import { startFakeOpenai } from "../fakes/openai.ts";
import { startRedis } from "../redis.ts";
import { makeKey, mustAdmin } from "../rest/admin.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { ask, expect, test } from "./gateways.ts";

/** Half of the calls to either gateway, all at once; how many answers had which status. */
async function crowd(sluices: SluiceProcess[], key: string, content: string): Promise<Record<number, number>> {
  const calls = Array.from({ length: 200 }, (_, index) => {
    const sluice = sluices[index % sluices.length];
    if (!sluice) throw new Error("Two gateways were asked for.");
    return ask(sluice, key, content);
  });
  const counts: Record<number, number> = {};
  for (const { status } of await Promise.all(calls)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

test("of 200 calls at once to two gateways exactly as many get through as requests, parallel calls and budgets allow", async ({
  startGateways,
}) => {
  test.setTimeout(240_000);
  const redis = await startRedis();
  // Slow enough that every call of a crowd is under way before the first one is over.
  const slow = await startFakeOpenai({ slowMs: 12_000 });
  const prices = { input_cost_per_token: 0, output_cost_per_token: 0.001 };
  const params = { model: "openai/fake-model", api_base: slow.baseUrl, api_key: "sk-fake-upstream", ...prices };
  const config = { model_list: [{ model_name: "fake-model", litellm_params: params }] };
  const sluices = await startGateways(2, { config, env: { REDIS_URL: redis.url } });
  const [first] = sluices;
  if (!first) throw new Error("Two gateways were asked for.");

  await mustAdmin(first, "/team/new", { team_id: "shared", rpm_limit: 9 });
  await mustAdmin(first, "/user/new", { user_id: "shared", rpm_limit: 5, auto_create_key: false });
  const byMinute = [
    [await makeKey(first, { rpm_limit: 7 }), 7],
    [await makeKey(first, { team_id: "shared" }), 9],
    [await makeKey(first, { user_id: "shared" }), 5],
    [await makeKey(first, { model_rpm_limit: { "fake-model": 3 } }), 3],
  ] as const;
  for (const [key, limit] of byMinute) {
    expect(await crowd(sluices, key, "quick")).toEqual({ 200: limit, 429: 200 - limit });
  }

  const parallel = await makeKey(first, { max_parallel_requests: 6 });
  for (const round of ["the first time", "when all places are free again"]) {
    expect(await crowd(sluices, parallel, "[[slow]] x"), round).toEqual({ 200: 6, 429: 194 });
    // A place is given back without waiting for Redis' answer.
    await sleep(500);
  }

  // A call without a bound of its own holds back 500 tokens of output, so that four at once use up the budget.
  await mustAdmin(first, "/team/new", { team_id: "budget", max_budget: 2 });
  for (const key of [await makeKey(first, { max_budget: 2 }), await makeKey(first, { team_id: "budget" })]) {
    expect(await crowd(sluices, key, "[[slow]] x")).toEqual({ 200: 4, 429: 196 });
  }
  await slow.close();
  await redis.stop();
});
