import { expect, test } from "../fixtures.ts";

for (const colorScheme of ["light", "dark"] as const) {
  test(`the page of the interface works without any other host, ${colorScheme}`, async ({ browser, sluice }) => {
    const page = await browser.newPage({ colorScheme });
    const faults: string[] = [];
    page.on("console", (message) => faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${sluice.url}/`) && !url.startsWith("data:")) faults.push(url);
    });
    const answer = await page.goto(`${sluice.url}/docs`);
    expect(answer?.headers()["content-security-policy"]).toContain("script-src 'self';");
    expect(answer?.headers()["content-security-policy"]).not.toContain("unsafe");
    await expect(page.getByRole("heading", { name: /Sluice/ })).toBeVisible();
    await page.getByRole("link", { name: "/key/health" }).click();
    await expect(page.getByText("Asks the destination of each callback")).toBeVisible();
    await expect(page.locator("html")).toHaveClass(colorScheme === "dark" ? /dark-mode/ : /^$/);
    // Whatever the policy had stopped would stand on the console.
    expect(faults).toEqual([]);
    await page.close();
  });
}

test("a call can be tried from the page with a key", async ({ page, sluice }) => {
  await page.goto("/docs#/Operations/getTest");
  const operation = page.locator("#operations-Operations-getTest");
  await page.getByRole("button", { name: "Authorize" }).first().click();
  await page.getByRole("textbox", { name: "auth-bearer-value" }).fill(sluice.masterKey);
  await page
    .locator(".auth-container", { hasText: "bearer" })
    .getByRole("button", { name: "Apply credentials" })
    .click();
  await page.getByRole("button", { name: "Close", exact: true }).last().click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.getByRole("button", { name: "Execute" }).click();
  await expect(operation.locator(".live-responses-table")).toContainText('"/test"');
});
