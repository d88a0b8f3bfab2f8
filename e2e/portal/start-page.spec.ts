import { expect, test } from "../fixtures.ts";

test("the start page shows the first request and loads nothing from elsewhere", async ({ page, sluice }) => {
  const faults: string[] = [];
  page.on("console", (message) => faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${sluice.url}/`)) faults.push(request.url());
  });
  const answer = await page.goto("/", { waitUntil: "networkidle" });
  expect(answer?.status()).toBe(200);
  expect(answer?.headers()["content-security-policy"]).toContain("script-src 'self' 'nonce-");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Sluice");
  await expect(page.getByRole("region", { name: "Command" })).toContainText(`curl ${sluice.url}/v1/chat`);
  // Whatever the policy had stopped would stand on the console.
  expect(faults).toEqual([]);
});

test("an inline script without the nonce does not run", async ({ page }) => {
  await page.goto("/");
  await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", "<img src='x' onerror=\"document.title = 'injected'\">");
  });
  await page.waitForLoadState("networkidle");
  expect(await page.title()).toBe("Sluice");
});

test("the start page fits a width of 320 pixels", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto("/");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("the start page is whole, and its link leads to readiness", async ({ page }) => {
    await page.goto("/");
    await page.getByRole("link", { name: "Readiness" }).click();
    await expect(page).toHaveURL(/\/health\/readiness$/);
  });
});

test("an address that nothing answers is a page with status 404", async ({ page }) => {
  const answer = await page.goto("/portal/nowhere");
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("link", { name: "Back to the start" })).toBeVisible();
});
