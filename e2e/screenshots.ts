import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "@playwright/test";
import { findChromium } from "./browser.ts";
import { startDemo, type Demo } from "./demo/demo.ts";

/** `npm run screenshots`: takes the pictures of the README anew, from a gateway as `npm run seed` makes it. */
const folder = join(import.meta.dirname, "../docs/screenshots");

/** A picture: its file, the screen, how it is shown, and what it waits for. */
type Shot = { name: string; path: string; theme: "light" | "dark"; width: number; height: number; heading: string };

const desk = { width: 1440, height: 900 } as const;
const shots: readonly Shot[] = [
  { ...desk, name: "overview", path: "/portal/teams/search", theme: "light", heading: "Search" },
  { ...desk, name: "destinations", path: "/portal/teams/support/destinations", theme: "dark", heading: "Destinations" },
  {
    ...{ width: 1440, height: 720 },
    name: "dead-letters",
    path: "/portal/teams/support/deliveries?state=dead",
    theme: "light",
    heading: "Deliveries",
  },
  { ...desk, name: "policy", path: "/portal/teams/support/policy", theme: "dark", heading: "Logging policy" },
  { ...desk, name: "keys", path: "/portal/teams/search/keys", theme: "light", heading: "API keys" },
  { name: "phone", path: "/portal/teams/search", theme: "dark", width: 390, height: 844, heading: "Search" },
];

const demo = await startDemo();
try {
  mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch(await findChromium());
  try {
    for (const theme of ["light", "dark"] as const) {
      for (const isMobile of [false, true]) {
        const wanted = shots.filter((shot) => shot.theme === theme && shot.width < 600 === isMobile);
        if (wanted.length === 0) continue;
        const page = await browser.newPage({ colorScheme: theme, reducedMotion: "reduce", isMobile });
        await signIn(page, demo);
        for (const shot of wanted) await take(page, shot);
        await page.close();
      }
    }
  } finally {
    await browser.close();
  }
} finally {
  await demo.dispose();
}

async function signIn(page: Page, { sluice, email, password }: Demo): Promise<void> {
  await page.goto(`${sluice.url}/portal`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Teams" }).waitFor();
}

async function take(page: Page, { name, path, width, height, heading }: Shot): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.goto(`${demo.sluice.url}${path}`);
  await page.getByRole("heading", { name: heading }).first().waitFor();
  await page.waitForLoadState("networkidle");
  const file = join(folder, `${name}.png`);
  await page.screenshot({ path: file, animations: "disabled" });
  process.stdout.write(`${file} ${String(Math.round(statSync(file).size / 1000))} kB\n`);
}
