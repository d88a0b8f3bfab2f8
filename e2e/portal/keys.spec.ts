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
