import { expect, test } from "../fixtures.ts";
import { langfuseVars, makeProject, mustAdmin } from "../rest/admin.ts";
import { adminEnv, expectAccessible, expectFitting, joinByLink, signIn } from "./visit.ts";

test("an administrator invites a viewer, who sees everything and changes nothing, and reads in the log what was done", async ({
  page,
  browser,
  startSluice,
}) => {
  test.setTimeout(120_000);
  const sluice = await startSluice({ env: adminEnv, config: { general_settings: { must_log: true } } });
  const { team_id: teamId } = await mustAdmin(sluice, "/team/new", { team_alias: "Search" });
  const project = makeProject("administration");
  const vars = langfuseVars("http://127.0.0.1:9", project);
  await mustAdmin(sluice, `/team/${String(teamId)}/callback`, { callback_name: "langfuse", callback_vars: vars });

  await signIn(page, sluice.url);
  await page.getByRole("link", { name: "Users" }).click();
  await page.getByRole("button", { name: "Invite user" }).click();
  await page.getByLabel("E-mail").fill("Grace@Example.com");
  await page.getByLabel("Role", { exact: true }).selectOption("Viewer of everything");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  const link = (await page.getByRole("region", { name: "Invitation link", exact: true }).textContent()) ?? "";
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByLabel("Role of grace@example.com")).toHaveValue("proxy_admin_viewer");
  await expectAccessible(page);
  await expectFitting(page);

  // The viewer in a browser of her own.
  const context = await browser.newContext();
  const own = await context.newPage();
  await joinByLink(own, link);
  await own.getByRole("link", { name: "Users" }).click();
  await expect(own.getByRole("row").filter({ hasText: "grace@example.com (you)" })).toBeVisible();
  await expect(own.getByRole("button", { name: /Invite|Delete|New link/ })).toHaveCount(0);
  await own.getByRole("link", { name: "Settings" }).click();
  await expect(own.getByText("general_settings.must_log").locator("../..")).toContainText("Yes");
  await expectAccessible(own);
  await expectFitting(own);

  await page.getByRole("button", { name: "Delete grace@example.com" }).click();
  await expect(page.getByRole("button", { name: "Delete", exact: true })).toBeDisabled();
  await page.getByLabel("Type grace@example.com to confirm").fill("grace@example.com");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByText("User deleted", { exact: true })).toBeVisible();
  await own.reload();
  await expect(own.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await context.close();

  // What was done stands in the log, by whom and with the fields, and without a secret.
  await page.getByRole("link", { name: "All changes" }).click();
  await page.getByLabel("Action").selectOption("Deleted");
  await expect(page).toHaveURL(/action=delete$/);
  const deletion = page.getByRole("row").filter({ hasText: "Deleted user" });
  await expect(deletion).toContainText("ada@example.com");
  await deletion.locator("summary").click();
  await expect(deletion).toContainText("grace@example.com");
  await expect(page.getByText(/^Made/)).toHaveCount(1);
  await expectAccessible(page);
  await expectFitting(page);

  await page.getByRole("link", { name: "Teams", exact: true }).click();
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByRole("link", { name: "Audit log" }).click();
  const added = page.getByRole("row").filter({ hasText: "Added a destination to team Search" });
  await expect(added).toContainText("Master key");
  await added.locator("summary").click();
  await expect(added).toContainText("http://127.0.0.1:9");
  expect(await page.content()).not.toContain(project.secretKey);
  await page.getByLabel("Action").selectOption("Rotated");
  await expect(page.getByRole("heading", { name: "Nothing here" })).toBeVisible();
  await page.getByRole("button", { name: "Show all changes" }).click();
  await expect(added).toBeVisible();
  await expectAccessible(page);
  await expectFitting(page);
});
