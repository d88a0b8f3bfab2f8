import { randomUUID } from "node:crypto";
import AxeBuilder from "@axe-core/playwright";
import type { BrowserContext, Page } from "@playwright/test";
import { z } from "zod";
import { expect } from "../fixtures.ts";
import { portalCookie } from "../portal-cookie.ts";
import type { SluiceProcess } from "../sluice-process.ts";

/** The first administrator's sign-in, and the settings that make it. */
export const email = "ada@example.com";
export const password = "a password of the tests";
export const adminEnv = { SLUICE_ADMIN_EMAIL: email, SLUICE_ADMIN_PASSWORD: password };

/** Signs the first administrator in. */
export async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await expect(page.getByRole("button", { name: "Sign in" })).toBeEnabled();
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Teams" })).toBeVisible();
  await expectAlive(page);
}

/** The page takes input: what is written or chosen before that is lost. */
export async function expectAlive(page: Page): Promise<void> {
  await expect(page.locator("[inert]")).toHaveCount(0);
}

/** Makes a user of a server that others use as well, signed in without a browser. */
export async function makeSignedIn(sluice: SluiceProcess, role: "proxy_admin" | "internal_user") {
  const sign = { email: `${role}-${randomUUID()}@example.com`, password: "a password of this user" };
  const { secret } = await mutate(sluice, "users.invite", { email: sign.email, role });
  await mutate(sluice, "account.acceptInvitation", { secret, password: sign.password });
  return { email: sign.email, cookie: await portalCookie(sluice.url, sign) };
}

/** Gives a browser the sign-in that a Cookie header holds. */
export async function takeCookies(context: BrowserContext, url: string, cookie: string): Promise<void> {
  const pairs = cookie.split("; ").map((pair) => /^([^=]+)=(.*)$/.exec(pair));
  await context.addCookies(pairs.map((pair) => ({ name: pair?.[1] ?? "", value: pair?.[2] ?? "", url })));
}

const Answer = z.object({ result: z.object({ data: z.record(z.string(), z.unknown()) }) });

/** Calls a mutation with the master key. */
async function mutate(sluice: SluiceProcess, name: string, input: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${sluice.url}/api/trpc/${name}`, {
    method: "POST",
    headers: { authorization: `Bearer ${sluice.masterKey}`, "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  return Answer.parse(await answer.json()).result.data;
}

/** Follows an invitation: sets a password and is signed in. */
export async function joinByLink(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await expect(page.getByRole("button", { name: "Set password and sign in" })).toBeEnabled();
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
