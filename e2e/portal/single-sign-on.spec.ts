import type { Page } from "@playwright/test";
import { startFakeOidc, type FakeOidc } from "../fakes/oidc.ts";
import { expect, test } from "../fixtures.ts";
import { mustAdmin } from "../rest/admin.ts";
import { adminEnv, email as adminEmail, expectAccessible } from "./visit.ts";

let oidc: FakeOidc;

test.beforeEach(async () => {
  oidc = await startFakeOidc();
});

test.afterEach(() => oidc.close());

test("people sign in at the provider, and only as whom it has proved", async ({ page, startSluice }) => {
  test.setTimeout(120_000);
  const env = { OIDC_ISSUER: oidc.url, OIDC_CLIENT_ID: oidc.clientId, OIDC_CLIENT_SECRET: oidc.clientSecret };
  const sluice = await startSluice({ env: { ...adminEnv, ...env } });
  await mustAdmin(sluice, "/team/new", { team_id: "search", team_alias: "Search" });
  const member = { role: "user", user_email: "grace@example.com" };
  await mustAdmin(sluice, "/team/member_add", { team_id: "search", member });
  const cameBack = async (): Promise<void> => {
    await page.context().clearCookies();
    await page.goto(`${sluice.url}/portal`);
    await page.getByRole("button", { name: "Continue with single sign-on" }).click();
  };
  const verified = { email_verified: true };

  // A member of a team who has never been here joins what waits for her address.
  oidc.person = { claims: { sub: "grace", email: "Grace@example.com", name: "Grace", ...verified } };
  await page.goto(`${sluice.url}/portal/sign-in`);
  await expect(page.getByRole("button", { name: "Continue with single sign-on" })).toBeVisible();
  await expectAccessible(page);
  await cameBack();
  await expect(page.getByRole("link", { name: /Search/ }).first()).toBeVisible();
  expect(oidc.requests).toHaveLength(1);

  // Nobody becomes the administrator by saying that he has his address.
  const refused: [string, FakeOidc["person"], RegExp][] = [
    ["unverified", { claims: { sub: "mallory", email: adminEmail, email_verified: false } }, /has not verified/],
    ["silent", { claims: { sub: "mallory", email: adminEmail } }, /has not verified/],
    ["other person", { claims: { sub: "mallory", email: "grace@example.com", ...verified } }, /belongs to another/],
    ["other nonce", { claims: { sub: "m", email: adminEmail, nonce: "other", ...verified } }, /did not work/],
    ["other client", { claims: { sub: "m", email: adminEmail, aud: "other", ...verified } }, /did not work/],
    [
      "other issuer",
      { claims: { sub: "m", email: adminEmail, iss: "https://x.example", ...verified } },
      /did not work/,
    ],
    ["ended", { claims: { sub: "m", email: adminEmail, exp: 1_000, ...verified } }, /did not work/],
    ["other state", { claims: { sub: "m", email: adminEmail, ...verified }, state: "other" }, /did not work/],
    ["forged", { claims: { sub: "m", email: adminEmail, ...verified }, isForged: true }, /did not work/],
  ];
  for (const [name, person, words] of refused) {
    oidc.person = person;
    await cameBack();
    await expect(page.getByText(words), name).toBeVisible();
    await expectSignedOut(page, sluice.url);
  }

  // The provider's word opens the administrator's account once it is proved.
  oidc.person = { claims: { sub: "ada", email: adminEmail, ...verified } };
  await cameBack();
  await expect(page.getByRole("button", { name: "New team" })).toBeVisible();
  expect(sluice.logs()).not.toContain(oidc.clientSecret);
});

async function expectSignedOut(page: Page, url: string): Promise<void> {
  await expect(page).toHaveURL(/\/portal\/sign-in/);
  const cookies = await page.context().cookies(url);
  expect(cookies.filter(({ name }) => name.endsWith("sluice.session")).map(({ value }) => value)).toEqual([]);
}
