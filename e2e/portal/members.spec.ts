import { z } from "zod";
import { expect, test } from "../fixtures.ts";
import { mustAdmin } from "../rest/admin.ts";
import { adminEnv, expectAccessible, expectAlive, expectFitting, joinByLink, signIn } from "./visit.ts";

const TeamInfo = z.object({
  team_info: z.object({
    members_with_roles: z.array(z.object({ role: z.string(), user_email: z.string().nullable() })),
  }),
});

test("a person is invited into a team, becomes its administrator and is removed, with the rights of each", async ({
  page,
  browser,
  startSluice,
}) => {
  test.setTimeout(120_000);
  const sluice = await startSluice({ env: adminEnv });
  const { team_id: teamId } = await mustAdmin(sluice, "/team/new", { team_alias: "Search" });
  const members = async (): Promise<string[]> => {
    const info = TeamInfo.parse(await mustAdmin(sluice, `/team/info?team_id=${String(teamId)}`));
    const people = info.team_info.members_with_roles.filter((member) => member.user_email !== null);
    return people.map(({ role, user_email }) => `${role} ${String(user_email)}`);
  };
  await signIn(page, sluice.url);
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByRole("link", { name: "Members" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Add member" }).click();
  await page.getByLabel("E-mail").fill("Grace@Example.com");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const shown = page.getByRole("region", { name: "Invitation link", exact: true });
  const link = (await shown.textContent()) ?? "";
  expect(link).toMatch(new RegExp(`^${sluice.url}/portal/invitation#.{30,}$`));
  await expectAccessible(page);
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByLabel("Role of grace@example.com")).toHaveValue("user");
  expect(await members()).toEqual(["user grace@example.com"]);
  await expectAccessible(page);
  await expectFitting(page);

  // The person in a browser of her own.
  const context = await browser.newContext();
  const own = await context.newPage();
  await joinByLink(own, link);
  await own.getByRole("link", { name: "Search" }).click();
  await own.getByRole("link", { name: "Members" }).click();
  await expect(own.getByRole("cell", { name: /grace@example.com \(you\)/ })).toBeVisible();
  await expect(own.getByRole("button", { name: "Add member" })).toHaveCount(0);
  await expect(own.getByRole("button", { name: /^Remove/ })).toHaveCount(0);
  await expectAccessible(own);

  await page.getByLabel("Role of grace@example.com").selectOption("admin");
  await expect.poll(members).toEqual(["admin grace@example.com"]);
  await own.reload();
  await expect(own.getByRole("button", { name: "Add member" })).toBeVisible();
  await expectAlive(own);

  // A team keeps an administrator, and who is refused learns which request it was.
  await own.getByLabel("Role of grace@example.com").selectOption("user");
  await expect(own.getByText(/^The team.s last administrator cannot leave/)).toBeVisible();
  await expect(own.getByText(/^Request \S+/)).toBeVisible();
  await expect(own.getByLabel("Role of grace@example.com")).toHaveValue("admin");
  expect(await members()).toEqual(["admin grace@example.com"]);

  await page.getByRole("button", { name: "Remove grace@example.com" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByText("Member removed", { exact: true })).toBeVisible();
  expect(await members()).toEqual([]);
  await own.reload();
  await expect(own.getByText("There is no such team, or you are not in it.").first()).toBeVisible();
  await expect(own.getByText(/^Request \S+/).first()).toBeVisible();
  await context.close();
});
