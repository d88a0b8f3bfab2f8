import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { ask, promptsAt } from "./ask.ts";

test("where every call must be logged no way out of it is heard, and each answer says so", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const [project, clients] = [makeProject("audited"), makeProject("clients-own")];
  const langfuse = await startFakeLangfuse({ projects: [project, clients] });
  const config = { ...fakeModelConfig(fakes), general_settings: { must_log: true } };
  const sluice = await startSluice({ config });
  await mustAdmin(sluice, "/team/new", { team_id: "audited" });
  const vars = { ...langfuseVars(langfuse.url, project), sampling_rate: 0, filter_status: "failure" };
  await mustAdmin(sluice, "/team/audited/callback", { callback_name: "langfuse", callback_vars: vars });
  const key = await makeKey(sluice, { team_id: "audited" });
  const silent = await makeKey(sluice, { team_id: "audited", metadata: { logging: [] } });
  const disabling = await makeKey(sluice, {
    team_id: "audited",
    metadata: { litellm_disabled_callbacks: ["langfuse"] },
  });

  const asked = {
    "a plain call": await ask(sluice, key, { content: "a plain call" }),
    "no-log": await ask(sluice, key, { content: "no-log", "no-log": true }),
    "a header": await ask(sluice, key, { content: "a header", headers: { "x-litellm-disable-callbacks": "langfuse" } }),
    "a key that logs nowhere": await ask(sluice, silent, { content: "a key that logs nowhere" }),
    "a key's own list": await ask(sluice, disabling, { content: "a key's own list" }),
    "credentials of its own": await ask(sluice, key, {
      content: "credentials of its own",
      ...langfuseVars(langfuse.url, clients),
    }),
  };
  for (const [name, { status, receipt }] of Object.entries(asked)) {
    expect(status, name).toBe(200);
    expect(receipt, name).toMatch(/^langfuse=queued; id=[0-9a-f-]+; must-log$/);
  }
  await until("all arrived", () => promptsAt(langfuse, project.id).length === Object.keys(asked).length);
  expect(promptsAt(langfuse, project.id)).toEqual(Object.keys(asked).toSorted());
  expect(langfuse.project(clients.id).requests).toBe(0);
  expect((await admin(sluice, "/team/audited/disable_logging", {})).status).toBe(400);
  await langfuse.close();
});
