import { randomUUID } from "node:crypto";
import { expect, test } from "../fixtures.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin } from "../rest/admin.ts";
import { makeSignedIn, takeCookies } from "./visit.ts";

test("main screens are sent with their content, to nobody else, and the browser takes them over as they are", async ({
  browser,
  fakes,
  sluice,
}) => {
  test.setTimeout(90_000);
  const project = makeProject(randomUUID());
  fakes.langfuse.addProject(project);
  const teamName = `Engineers ${randomUUID()}`;
  const { team_id: teamId } = await mustAdmin(sluice, "/team/new", { team_alias: teamName, max_budget: 5 });
  const vars = langfuseVars(fakes.langfuse.url, project);
  await mustAdmin(sluice, `/team/${String(teamId)}/callback`, { callback_name: "langfuse", callback_vars: vars });
  const keyName = `crawler ${randomUUID()}`;
  const key = await makeKey(sluice, { team_id: teamId, key_alias: keyName, duration: "30d" });
  const called = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content: "a question" }] }),
  });
  const recordId = /id=(\S+)/.exec(called.headers.get("x-sluice-log") ?? "")?.[1] ?? "";
  expect(recordId).not.toBe("");

  const team = `/portal/teams/${String(teamId)}`;
  const screens: readonly [path: string, content: string][] = [
    [`/portal/teams?search=${encodeURIComponent(teamName)}`, teamName],
    [team, "Logs delivered"],
    [`${team}/destinations`, fakes.langfuse.url],
    [`${team}/deliveries`, recordId],
    [`${team}/keys`, keyName],
    [`${team}/policy`, "Figures only"],
    [`${team}/usage`, "fake-model"],
    [`${team}/members`, "No member yet"],
  ];
  const own = await makeSignedIn(sluice, "proxy_admin");
  const foreign = await makeSignedIn(sluice, "internal_user");
  const textOf = async (path: string, cookie: string): Promise<string> =>
    (await fetch(`${sluice.url}${path}`, { headers: { cookie } })).text();
  const secretsOf = (path: string): string[] =>
    // The name stands in the address of its own search.
    [own.email, ...(path.includes("?") ? [] : [teamName]), keyName, recordId];
  // Usage is stored every two seconds.
  await expect(async () => expect(await textOf(`${team}/usage`, own.cookie)).toContain("fake-model")).toPass();
  // Neither the zone nor the language of the server.
  const context = await browser.newContext({ timezoneId: "Asia/Kolkata", locale: "de-DE", baseURL: sluice.url });
  await takeCookies(context, sluice.url, own.cookie);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => faults.push(`${page.url()}: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
  for (const [path, content] of screens) {
    let seen = "";
    // A page is sent without what could not be read in time.
    await expect(async () => {
      expect(await textOf(path, own.cookie), path).toContain(content);
      seen = await textOf(path, foreign.cookie);
      expect(seen, path).toContain(foreign.email);
    }).toPass();
    for (const secret of secretsOf(path)) expect(seen, path).not.toContain(secret);
    await page.goto(path, { waitUntil: "networkidle" });
    await expect(page.getByText(content).first(), path).toBeVisible();
  }
  expect(faults).toEqual([]);

  // Without a session nothing is sent, as a page or as what the browser asks for between pages; and nothing is kept.
  const asked = `${sluice.url}${team}/keys`;
  const rsc = { RSC: "1" };
  await expect(async () => {
    const answer = await fetch(asked, { headers: { ...rsc, cookie: own.cookie } });
    expect(answer.headers.get("content-type")).toContain("text/x-component");
    expect(await answer.text()).toContain(keyName);
  }).toPass();
  for (const headers of [{}, rsc]) {
    const seen = await (await fetch(asked, { headers })).text();
    for (const secret of secretsOf(asked)) expect(seen).not.toContain(secret);
  }
  for (const headers of [{}, rsc]) {
    const answer = await fetch(asked, { headers: { ...headers, cookie: own.cookie } });
    expect(answer.headers.get("cache-control")).toContain("no-store");
    await answer.arrayBuffer();
  }

  // A team that there is not looks as one of others does, and the way back is at hand.
  await page.goto("/portal/teams/nowhere");
  await expect(page.getByText("There is no such team, or you are not in it.")).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "All teams" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Teams" })).toBeVisible();

  // Times as one wants them, also in what is sent.
  await page.goto(`${team}/keys`);
  await page.getByRole("button", { name: own.email }).click();
  await page.getByRole("menuitem", { name: "Show times in UTC" }).click();
  const utc = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/;
  await expect(page.getByRole("cell", { name: utc }).first()).toBeVisible();
  await page.reload();
  await expect(page.getByRole("cell", { name: utc }).first()).toBeVisible();
  await context.close();
});
