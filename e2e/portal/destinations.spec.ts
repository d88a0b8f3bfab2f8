import type { Locator } from "@playwright/test";
import { startFakeGcs } from "../fakes/gcs.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin } from "../rest/admin.ts";
import { adminEnv, expectAccessible, expectAlive, expectFitting, signIn } from "./visit.ts";

/** Pastes as a keyboard does, which a page without rights to the clipboard cannot be made to do. */
async function paste(into: Locator, text: string): Promise<void> {
  await into.evaluate((element, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

test("a bucket is attached by pasting its key; a failing project is found, understood, repaired and sent again", async ({
  page,
  fakes,
  startSluice,
}) => {
  test.setTimeout(150_000);
  const gcs = await startFakeGcs();
  const project = makeProject("repair");
  fakes.langfuse.addProject(project);
  const config = fakeModelConfig(fakes);
  const sluice = await startSluice({
    config: {
      ...config,
      general_settings: { google_token_uris: [gcs.tokenUri] },
      retention: { content_hours: 24 },
    },
    env: adminEnv,
  });
  const { team_id: teamId } = await mustAdmin(sluice, "/team/new", { team_alias: "Search" });
  const key = await makeKey(sluice, { team_id: teamId });
  const call = async (prompt: string): Promise<void> => {
    const answer = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content: prompt }] }),
    });
    expect(answer.status).toBe(200);
  };
  const inBucket = (): string =>
    gcs
      .objects("search-logs")
      .map(({ content }) => content.toString("utf8"))
      .join("\n");
  const inProject = (): string => JSON.stringify(fakes.langfuse.project(project.id).spans);

  // A bucket, by the key file that Google gave out.
  const { json } = gcs.addTenant("search-logs");
  await signIn(page, sluice.url);
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByRole("link", { name: "Add a destination" }).click();
  await page.getByRole("link", { name: /Google Cloud Storage/ }).click();
  await paste(page.getByLabel("Paste to fill"), json);
  await expect(page.getByLabel("Service account key (JSON)")).toHaveValue(json.trim());
  await page.getByLabel("Bucket").fill("search-logs/llm");
  await page.getByLabel("API endpoint").fill(gcs.url);
  await page.getByRole("button", { name: "Test and save" }).click();
  await expect(page.getByRole("heading", { level: 2, name: "Deliveries" })).toBeVisible();
  expect(await page.content()).not.toContain("PRIVATE KEY");
  await call("a question for the bucket");
  await expect.poll(inBucket).toContain("a question for the bucket");
  await expect(page.getByRole("region", { name: "Deliveries", exact: true })).toContainText("Delivered");
  await expect(page.getByRole("img", { name: /^Deliveries, a minute a bar/ })).toBeVisible();
  await expectAccessible(page);
  await expectFitting(page);

  // A project whose secret is wrong: its logs wait, and its page says why.
  const vars = { ...langfuseVars(fakes.langfuse.url, project), langfuse_secret_key: "sk-lf-of-yesterday" };
  await mustAdmin(sluice, `/team/${String(teamId)}/callback`, { callback_name: "langfuse", callback_vars: vars });
  await call("a question that waits");
  await page.getByRole("link", { name: "Overview" }).click();
  await page
    .getByRole("link", { name: /^Langfuse/ })
    .last()
    .click();
  const waiting = page.getByRole("status").filter({ hasText: "1 log waits to be taken" });
  await expect(waiting).toContainText(/credentials/i);
  await expect(page.getByLabel(/other name/)).toHaveCount(0);
  await expectAccessible(page);
  expect(inProject()).toBe("[]");
  const other = await page.context().newPage();
  await other.goto(page.url());
  await expectAlive(other);
  await other.getByLabel("Secret key", { exact: true }).fill("sk-lf-of-tomorrow");
  await page.getByLabel("Secret key", { exact: true }).fill(project.secretKey);
  await page.getByRole("button", { name: "Test and save" }).click();
  await expect(page.getByText("Destination saved", { exact: true })).toBeVisible();
  await expect.poll(inProject).toContain("a question that waits");
  await expect(waiting).toHaveCount(0);

  // Who began before that is told, instead of undoing it; what he wrote stays until he says so.
  await other.getByLabel("Secret key", { exact: true }).fill(project.secretKey);
  await other.getByLabel("Fires on").selectOption("Failed calls");
  await other.getByRole("button", { name: "Test and save" }).click();
  await expect(other.getByText("Somebody else has changed this destination")).toBeVisible();
  await expect(other.getByLabel("Fires on")).toHaveValue("failure");
  await expectAccessible(other);
  await other.getByRole("button", { name: "Load the new settings" }).click();
  await expect(other.getByLabel("Fires on")).toHaveValue("success_and_failure");
  await expect(other.getByText("Somebody else has changed this destination")).toHaveCount(0);
  await other.close();

  // A record that was refused: the destination's own words, and again once it takes such records.
  const body = { message: "this record has too many teeth" };
  fakes.langfuse.setBehaviour({ projectId: project.id, status: 400, body });
  await call("a question with teeth");
  const refused = page.getByRole("alert").filter({ hasText: "1 log not taken" });
  await expect(refused).toContainText("too many teeth", { timeout: 20_000 });
  await expectAccessible(page);
  await expectFitting(page);
  fakes.langfuse.setBehaviour({});
  await refused.getByRole("button", { name: "Replay all" }).click();
  await expect.poll(inProject).toContain("a question with teeth");
  await expect(refused).toHaveCount(0);

  // What was asked before there was this project is still kept, and can be sent there too.
  expect(inProject()).not.toContain("a question for the bucket");
  await page.getByRole("button", { name: "Send earlier logs" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("status")).toHaveText("1 log that it never had.");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.getByText("On their way", { exact: true })).toBeVisible();
  await expect.poll(inProject).toContain("a question for the bucket");
  await gcs.close();
});
