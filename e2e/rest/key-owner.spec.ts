import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { makeKey, mustAdmin } from "./admin.ts";

test.slow();

test("the owner of a key lifts none of its limits, by an update or by a new text", async ({ startSluice, fakes }) => {
  // Guardrails are stored only if the operator says that this version does not act on them.
  const config = { ...fakeModelConfig(fakes), general_settings: { ignored_controls: ["guardrails"] } };
  const sluice = await startSluice({ config });
  await mustAdmin(sluice, "/user/new", { user_id: "mia", user_role: "internal_user", auto_create_key: false });
  const limits = {
    max_budget: 5,
    budget_duration: "30d",
    model_max_budget: { "fake-model": { max_budget: 5, budget_duration: "30d" } },
    model_rpm_limit: { "fake-model": 1 },
    guardrails: ["pii"],
    allowed_cache_controls: ["ttl"],
  };
  const own = await makeKey(sluice, { user_id: "mia" });
  const limited = await makeKey(sluice, { user_id: "mia", ...limits });
  const post = (path: string, body: object, key: string) =>
    fetch(`${sluice.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  for (const change of [
    { budget_duration: "1s" },
    { max_budget: null },
    { model_max_budget: {} },
    { model_max_budget: null },
    { model_max_budget: { "fake-model": { max_budget: 5, budget_duration: "1s" } } },
    { model_rpm_limit: {} },
    { model_rpm_limit: { "fake-model": "many" } },
    { guardrails: [] },
    { allowed_cache_controls: null },
  ]) {
    for (const path of ["/key/update", "/key/regenerate"]) {
      for (const bearer of [own, limited]) {
        const answer = await post(path, { key: limited, ...change }, bearer);
        expect(answer.status, `${path} ${JSON.stringify(change)}: ${await answer.text()}`).toBe(403);
      }
    }
  }
  const shown = await fetch(`${sluice.url}/key/info`, { headers: { authorization: `Bearer ${limited}` } });
  expect(await shown.json()).toMatchObject({ info: limits });

  const ask = async () => {
    const call = { model: "fake-model", messages: [{ role: "user", content: "hello" }] };
    return (await post("/v1/chat/completions", call, limited)).status;
  };
  // Three calls lie in two minutes at most.
  expect([await ask(), await ask(), await ask()]).toContain(429);
  expect((await post("/key/update", { key: limited, max_budget: 1 }, own)).status).toBe(200);
  await mustAdmin(sluice, "/key/update", { key: limited, model_rpm_limit: {}, budget_duration: "1d" });
  expect(await ask()).toBe(200);
});
