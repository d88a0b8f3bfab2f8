import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin } from "../rest/admin.ts";
import { adminEnv, expectAccessible, expectFitting, signIn } from "./visit.ts";

test("a log that was refused is found, understood, sent again and arrives; another one is given up", async ({
  page,
  fakes,
  startSluice,
}) => {
  test.setTimeout(120_000);
  const project = makeProject("deliveries");
  fakes.langfuse.addProject(project);
  const arrived = (): number => fakes.langfuse.project(project.id).spans.length;
  const sluice = await startSluice({ config: fakeModelConfig(fakes), env: adminEnv });
  const { team_id: teamId } = await mustAdmin(sluice, "/team/new", { team_alias: "Search" });
  const call = async (key: string): Promise<string> => {
    const answer = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content: "a question" }] }),
    });
    expect(answer.status).toBe(200);
    return /id=(\S+)/.exec(answer.headers.get("x-sluice-log") ?? "")?.[1] ?? "";
  };

  await signIn(page, sluice.url);
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByRole("link", { name: "Deliveries" }).click();
  await expect(page.getByRole("heading", { name: "No delivery yet" })).toBeVisible();
  await expectAccessible(page);

  const vars = langfuseVars(fakes.langfuse.url, project);
  await mustAdmin(sluice, `/team/${String(teamId)}/callback`, { callback_name: "langfuse", callback_vars: vars });
  const key = await makeKey(sluice, { team_id: teamId });
  const refuse = { projectId: project.id, status: 400, body: { message: "this record has too many teeth" } };
  fakes.langfuse.setBehaviour(refuse);
  const [first, second] = [await call(key), await call(key)];

  // From the overview to the destination's own words.
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("link", { name: "Read why, then send them again" }).click();
  const row = (id: string) => page.getByRole("row").filter({ hasText: id });
  await expect(row(first)).toContainText("Failed");
  await expect(row(first)).toContainText("HTTP 400");
  await expect(row(first)).toContainText("too many teeth");
  await expect(row(second)).toContainText("Failed");
  await expectAccessible(page);
  await expectFitting(page);

  // Narrowed by what the destination answered and by time, both kept in the address, however fast they are chosen.
  await page.getByLabel("Answer").selectOption("No answer");
  await expect(page.getByRole("heading", { name: "Nothing here" })).toBeVisible();
  await page.evaluate(() => {
    for (const [label, value] of [
      ["Answer", "refused_record"],
      ["Time", "1"],
    ] as const) {
      const select = document.querySelector(`select[aria-label="${label}"]`);
      if (!(select instanceof HTMLSelectElement)) throw new Error(`There is no ${label}.`);
      select.value = value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  await expect(page).toHaveURL(/state=dead&answer=refused_record&within=1$/);
  await expect(row(second)).toContainText("Failed");

  expect(arrived()).toBe(0);
  fakes.langfuse.setBehaviour({});
  await page.getByRole("button", { name: `Replay ${first}` }).click();
  await expect(page.getByText("On its way again", { exact: true })).toBeVisible();
  await expect.poll(arrived).toBeGreaterThan(0);
  await expect(row(first)).toHaveCount(0);
  const spans = arrived();

  await page.getByRole("button", { name: "Discard all" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Nothing here" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Show all deliveries" }).click();
  await expect(row(first)).toContainText("Delivered");
  await expect(row(second)).toContainText("Suppressed");
  expect(arrived()).toBe(spans);

  // One call, by the id that its answer carried; and one that there is not.
  await page.getByLabel("Record id or call id").fill(second);
  await page.getByLabel("Record id or call id").press("Enter");
  await expect(page).toHaveURL(new RegExp(`id=${second}`));
  await expect(row(first)).toHaveCount(0);
  await expect(row(second)).toContainText("Suppressed");
  await page.getByLabel("Record id or call id").fill("no-such-call");
  await page.getByRole("button", { name: "Find" }).click();
  await expect(page.getByText("There is no delivery of a call with this id.")).toBeVisible();
  await expect(page.getByText(/^Request \S+/)).toBeVisible();
  await expectAccessible(page);

  // From anywhere to a page or a call, without a mouse.
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Page, team or call id" })).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.type(first);
  await expect(page.getByRole("option", { name: first })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(row(first)).toContainText("Delivered");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("polic");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Logging policy" })).toBeVisible();
});
