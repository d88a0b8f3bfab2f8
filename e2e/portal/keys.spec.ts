import { randomUUID } from "node:crypto";
import { z } from "zod";
import { expect, test } from "../fixtures.ts";
import { makeKey, mustAdmin } from "../rest/admin.ts";
import { expectAccessible, expectFitting, makeSignedIn, takeCookies } from "./visit.ts";

const KeyInfo = z.object({ info: z.looseObject({ budget_reset_at: z.string() }) });

test("what is changed of a key's limits holds from its next call on", async ({ context, page, sluice }) => {
  test.setTimeout(60_000);
  const { team_id: teamId } = await mustAdmin(sluice, "/team/new", { team_alias: `Search ${randomUUID()}` });
  const name = `crawler ${randomUUID()}`;
  const key = await makeKey(sluice, { team_id: teamId, key_alias: name, max_budget: 5, budget_duration: "30d" });
  const call = async (): Promise<number> => {
    const answer = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content: "a question" }] }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const info = async () => KeyInfo.parse(await mustAdmin(sluice, `/key/info?key=${key}`)).info;
  const before = await info();
  expect(await call()).toBe(200);

  const { cookie } = await makeSignedIn(sluice, "proxy_admin");
  await takeCookies(context, sluice.url, cookie);
  await page.goto(`/portal/teams/${String(teamId)}/keys`);
  await page.getByRole("link", { name }).click();
  const dialog = page.getByRole("dialog", { name: "Edit the key" });
  const edit = async (changes: Record<string, string>): Promise<void> => {
    await page.getByRole("button", { name: "Edit limits" }).click();
    for (const [label, text] of Object.entries(changes)) await dialog.getByLabel(label).fill(text);
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toBeHidden();
  };
  await page.getByRole("button", { name: "Edit limits" }).click();
  await expect(dialog.getByRole("button", { name: "Save" })).toBeDisabled();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();

  await edit({ Models: "another-model", "Tokens a minute": "100000" });
  await expect(page.getByText("100,000 tokens a minute")).toBeVisible();
  expect(await call()).toBe(403);
  await edit({ Models: "", "Requests a minute": "0" });
  expect(await call()).toBe(429);
  await edit({ "Requests a minute": "" });
  expect(await call()).toBe(200);
  await edit({ "Budget in USD": "0" });
  expect(await call()).not.toBe(200);
  await expectFitting(page);

  // What was not changed stays, the budget's period too, which would begin anew if it was written again.
  expect(await info()).toMatchObject({
    ...{ models: [], tpm_limit: 100_000, rpm_limit: null, max_budget: 0, budget_duration: "30d" },
    budget_reset_at: before.budget_reset_at,
  });
});

test("a key without a name gets limits, and a file or answer that does not come leaves a way to go on", async ({
  context,
  page,
  sluice,
}) => {
  test.setTimeout(60_000);
  const { team_id: teamId } = await mustAdmin(sluice, "/team/new", { team_alias: `Search ${randomUUID()}` });
  await makeKey(sluice, { team_id: teamId });
  const { cookie, email } = await makeSignedIn(sluice, "proxy_admin");
  await takeCookies(context, sluice.url, cookie);
  await page.goto(`/portal/teams/${String(teamId)}/keys`);
  await page.getByRole("link", { name: "Unnamed key" }).click();
  const title = page.getByRole("heading", { level: 1, name: "sk-" });
  await expect(title).toBeVisible();

  // Only the files that the page itself names come, as if those for later were of another version.
  const sent = await (await fetch(page.url(), { headers: { cookie } })).text();
  const files = "**/_next/static/chunks/**";
  await page.route(files, (route) =>
    sent.includes(new URL(route.request().url()).pathname) ? route.continue() : route.abort(),
  );
  await page.reload();
  await page.getByRole("button", { name: "Edit limits" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "This page did not load" })).toBeVisible();
  await expect(page.getByRole("navigation").first()).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(title).toBeVisible();
  await page.getByRole("button", { name: email }).click();
  await expect(page.getByRole("heading", { level: 1, name: "The portal did not load" })).toBeVisible();
  await page.unroute(files);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(title).toBeVisible();

  await page.getByRole("button", { name: "Edit limits" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit the key" });
  await dialog.getByLabel("Tokens a minute").fill("5000");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("5,000 tokens a minute")).toBeVisible();

  await page.route("**/api/auth/**", (route) => route.abort());
  await page.getByRole("button", { name: email }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByText("You are still signed in", { exact: true })).toBeVisible();
});
