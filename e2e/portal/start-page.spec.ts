import { expect, test } from "../fixtures.ts";

test("the address of the gateway leads to the sign-in, which loads nothing from elsewhere", async ({
  page,
  sluice,
}) => {
  const faults: string[] = [];
  page.on("console", (message) => faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${sluice.url}/`)) faults.push(request.url());
  });
  const answer = await page.goto("/", { waitUntil: "networkidle" });
  expect(answer?.status()).toBe(200);
  expect(answer?.headers()["content-security-policy"]).toContain("script-src 'self' 'nonce-");
  await expect(page).toHaveURL(/\/portal\/sign-in$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  // Whatever the policy had stopped would stand on the console.
  expect(faults).toEqual([]);
});

test("an inline script without the nonce does not run", async ({ page }) => {
  await page.goto("/");
  await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", "<img src='x' onerror=\"document.title = 'injected'\">");
  });
  await page.waitForLoadState("networkidle");
  expect(await page.title()).toBe("Sign in · Sluice");
});

test("the sign-in fits a width of 320 pixels", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto("/");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
});

test("an address that nothing answers is a page with status 404", async ({ page }) => {
  const answer = await page.goto("/portal/nowhere");
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("link", { name: "Back to the portal" })).toBeVisible();
});
