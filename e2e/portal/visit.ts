import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "../fixtures.ts";

/** The first administrator's sign-in, and the settings that make it. */
export const email = "ada@example.com";
export const password = "a password of the tests";
export const adminEnv = { SLUICE_ADMIN_EMAIL: email, SLUICE_ADMIN_PASSWORD: password };

/** Signs the first administrator in. */
export async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Teams" })).toBeVisible();
}

/** Follows an invitation: sets a password and is signed in. */
export async function joinByLink(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByLabel("Password", { exact: true }).fill("the guest's own password");
  await page.getByLabel("Password again").fill("the guest's own password");
  await page.getByRole("button", { name: "Set password and sign in" }).click();
}

/** No fault of accessibility on the screen as it stands, light and dark. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // While a screen still loads, changes its theme or fades in, what stands there is none of its states.
    await expect(async () => expect(await faultsOf(page)).toEqual([])).toPass({ timeout: 10_000 });
  }
}

async function faultsOf(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"])
    .analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}

/** The screen as it stands needs no scrolling sideways, on a phone and on a desk. */
export async function expectFitting(page: Page): Promise<void> {
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
}
