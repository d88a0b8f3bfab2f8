import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { makeProject } from "../rest/admin.ts";
import { adminEnv, email, expectAccessible, expectFitting, password, signIn } from "./visit.ts";

test("a newcomer goes from the first sign-in to logs that arrive as his policy says", async ({
  page,
  fakes,
  startSluice,
}) => {
  test.setTimeout(120_000);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) faults.push(message.text());
  });
  const project = makeProject("portal");
  fakes.langfuse.addProject(project);
  const params = { model: "openai/fake-model", api_base: fakes.openai.baseUrl, api_key: "sk-fake-upstream" };
  const prices = { input_cost_per_token: 0.5, output_cost_per_token: 0.5 };
  const priced = { model_name: "priced-model", litellm_params: { ...params, ...prices } };
  const sluice = await startSluice({ config: fakeModelConfig(fakes, [priced]), env: adminEnv });
  const call = async (key: string, prompt: string): Promise<void> => {
    const answer = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "priced-model", messages: [{ role: "user", content: prompt }] }),
    });
    expect(answer.status).toBe(200);
  };
  const arrived = (): string => JSON.stringify(fakes.langfuse.project(project.id).spans);

  await signIn(page, sluice.url);
  await expectAccessible(page);
  await page.getByRole("button", { name: "New team" }).click();
  await page.getByLabel("Name").fill("Search");
  await page.getByRole("button", { name: "Make team" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Search" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "From here to the first log" })).toBeVisible();
  await expectAccessible(page);

  // A destination that does not work is not saved; the right one is.
  await page.getByRole("link", { name: "Add a destination" }).click();
  await expect(page.getByRole("link", { name: /Google Cloud Storage/ })).toBeVisible();
  await expectAccessible(page);
  await page
    .getByRole("link", { name: /Langfuse/ })
    .first()
    .click();
  await page.getByLabel("Public key").fill(project.publicKey);
  await page.getByLabel("Secret key", { exact: true }).fill("sk-lf-wrong");
  await page.getByLabel("Host").fill(fakes.langfuse.url);
  await page.getByRole("button", { name: "Test and save" }).click();
  await expect(page.getByText("It does not take records")).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel("Secret key", { exact: true }).fill(project.secretKey);
  await page.getByRole("button", { name: "Test and save" }).click();
  await expect(page.getByRole("heading", { level: 2, name: "Deliveries" })).toBeVisible();
  await expect(page.getByLabel("Secret key", { exact: true })).toHaveValue(
    new RegExp(`^\\*+${project.secretKey.slice(-4)} `),
  );
  expect(await page.content()).not.toContain(project.secretKey);
  await expectAccessible(page);

  await page.getByRole("link", { name: "API keys" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill("crawler");
  await page.getByRole("button", { name: "Make key" }).click();
  const shown = page.getByRole("region", { name: "Key", exact: true });
  const key = (await shown.textContent()) ?? "";
  expect(key).toMatch(/^sk-/);
  await expectAccessible(page);
  await expect(page.getByRole("button", { name: "Done" })).toBeDisabled();
  await page.getByLabel("I have saved this key").check();
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("link", { name: "crawler" })).toBeVisible();
  expect(await page.content()).not.toContain(key);

  await call(key, "a question that may be read");
  await expect.poll(arrived).toContain("a question that may be read");

  await page.getByRole("link", { name: "Logging policy" }).click();
  await page.getByRole("radio", { name: /No content/ }).click();
  await expect(page.getByText("Redaction changed", { exact: true })).toBeVisible();
  await expect(page.getByRole("radio", { name: /No content/ })).toBeChecked();
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page.getByRole("region", { name: /^langfuse, content/ })).not.toContainText("4242");
  await expectAccessible(page);
  const before = fakes.langfuse.project(project.id).spans.length;
  await call(key, "a question that stays here");
  await expect.poll(() => fakes.langfuse.project(project.id).spans.length).toBeGreaterThan(before);
  expect(arrived()).not.toContain("a question that stays here");

  await page.getByRole("link", { name: "API keys" }).click();
  await page.getByRole("link", { name: "crawler" }).click();
  await page.getByRole("button", { name: "Run health check" }).click();
  await expect(page.getByText("langfuse: it takes records", { exact: true })).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByRole("link", { name: /^Logs delivered 2/ })).toBeVisible();
  await expect(page.getByRole("img", { name: /^Deliveries, a minute a bar/ })).toBeVisible();
  await expectAccessible(page);

  // What the calls cost, by day, model and key; a reader of the screen gets the chart as a table.
  await page.getByRole("link", { name: /^Calls 2 / }).click();
  await expect(page.getByRole("heading", { name: "Calls by day" })).toBeVisible();
  const byModel = page.getByRole("region", { name: "By model" }).getByRole("row").filter({ hasText: "priced-model" });
  await expect(byModel).toContainText(/\$\d/);
  await expect(page.getByRole("region", { name: "By key" }).getByRole("link", { name: "crawler" })).toBeVisible();
  await page.getByText("As a table").click();
  const today = page.getByRole("region", { name: "Calls by day" }).getByRole("row").nth(1);
  await expect(today.getByRole("cell").nth(1)).toHaveText("2");
  await page.getByLabel("Measure").selectOption("Tokens");
  await expect(page).toHaveURL(/days=7&measure=tokens$/);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export CSV" }).click();
  expect((await download).suggestedFilename()).toBe("usage.csv");
  await expectAccessible(page);
  await expectFitting(page);
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
  expect(faults).toEqual([]);
  expect(sluice.logs()).not.toContain(password);
});

test("a wrong password and an ended session let nobody in", async ({ page, startSluice }) => {
  const sluice = await startSluice({ env: adminEnv });
  await page.goto(`${sluice.url}/portal/teams`);
  await expect(page).toHaveURL(/sign-in\?next=%2Fportal%2Fteams$/);
  await expect(page.getByRole("button", { name: "Sign in" })).toBeEnabled();
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill("another password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("E-mail address or password is wrong.")).toBeVisible();
  await expectAccessible(page);
  await signIn(page, sluice.url);
  await page.goto(`${sluice.url}/portal/account`);
  await expect(page.getByText("This browser")).toBeVisible();
  await expectAccessible(page);
  const cookies = await page.context().cookies();
  await page.getByRole("button", { name: email }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  // The cookie of before, given back, opens nothing: its session is gone.
  await page.context().addCookies(cookies);
  await page.goto(`${sluice.url}/portal/teams`);
  await expect(page).toHaveURL(/sign-in/);
});

test("the first start writes the administrator's sign-in where its owner alone reads it", async ({ startSluice }) => {
  const sluice = await startSluice();
  const text = readFileSync(join(sluice.dataDir, "first-start.txt"), "utf8");
  expect(text).toContain("Sign in as  admin@sluice.local");
  const made = /Password +(\S+)/.exec(text)?.[1] ?? "";
  expect(made.length).toBeGreaterThanOrEqual(16);
  expect(sluice.logs()).not.toContain(made);
});
