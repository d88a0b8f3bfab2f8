import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { format } from "prettier";
import { expect, test } from "vitest";
import type { Deployment } from "#gateway/models.ts";
import { AppError } from "#lib/errors.ts";
import { googleSignInOfFile } from "#testing/google-sign-in.ts";
import { fieldProbes } from "#testing/vendors/field-probes.ts";
import { sendChat, toDeployment, vendorServerOfFile } from "#testing/vendors/play-vendor.ts";
import { features, type Feature, type Vendor } from "#testing/vendors/vendor-case.ts";
import type { PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { passedOnVendors } from "#testing/vendors/passed-on-vendors.ts";
import { vendors } from "#testing/vendors/vendors.ts";

const page = join(import.meta.dirname, "../../../docs/providers.md");

const server = vendorServerOfFile();
const google = googleSignInOfFile();

function deploy(vendor: Vendor): Deployment {
  const account = vendor.account === "google" ? { vertex_credentials: google.account.json } : {};
  return toDeployment(vendor, server.url, account);
}

/** `yes` where the vendor is asked, `400` where the request is refused before. */
async function probe(vendor: Vendor, name: string): Promise<string> {
  server.answerWith({ status: 500, body: "{}" });
  const answer = await sendChat(deploy(vendor), fieldProbes[name] ?? {}).catch((error: unknown) => error);
  if (answer instanceof AppError) return String(answer.status);
  expect(answer, `${vendor.name}: ${name}`).toMatchObject({ status: 500 });
  return "yes";
}

type Named = { name: string; cases: readonly { feature: string }[] };

function toTable(first: string, columns: readonly Named[], rows: readonly (readonly string[])[]): string {
  const head = [first, ...columns.map(({ name }) => `\`${name}\``)];
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A row for each kind of exchange that one of them has: `yes`, or what is said of the others. */
function toExchanges(columns: readonly Named[], none: string, labels: Record<Feature, string> = features): string[][] {
  return Object.entries(labels).flatMap(([feature, label]) => {
    const has = columns.map(({ cases }) => cases.some((each) => each.feature === feature));
    return has.includes(true) ? [[label, ...has.map((each) => (each ? "yes" : none))]] : [];
  });
}

/** An exchange of any kind shows cached tokens where its usage has some. */
function withCachedTokens({ name, cases }: PassedOnVendor): Named {
  const isRead = cases.some(({ logged }) => Number(logged?.usage?.cacheReadTokens ?? 0) > 0);
  return { name, cases: isRead ? [...cases, { feature: "cache" }] : cases };
}

/** A page with the part between two marks written anew. */
function replacePart(text: string, mark: string, part: string): string {
  const [before = "", after = ""] = text.split(new RegExp(`<!-- ${mark} -->[^]*<!-- /${mark} -->`));
  return `${before}<!-- ${mark} -->\n\n${part}\n\n<!-- /${mark} -->${after}`;
}

// Written anew with `vitest run src/gateway/translation/vendor-table.test.ts --update`.
test("the documentation's tables say what the recorded exchanges and the requests of each field show", async () => {
  const fields: string[][] = [];
  for (const name of Object.keys(fieldProbes)) {
    const row = [name];
    for (const vendor of vendors) row.push(await probe(vendor, name));
    fields.push(row);
  }
  const usage = [
    "Usage of streams",
    ...passedOnVendors.map((each) => (each.asksForUsage ? "asked for" : "sent unasked")),
  ];
  const translated = `${toTable("Exchange", vendors, toExchanges(vendors, "no"))}\n\n${toTable("Field", vendors, fields)}`;
  const passedOn = toTable("Exchange", passedOnVendors, [
    ...toExchanges(passedOnVendors.map(withCachedTokens), "–", { ...features, reasoning: "Reasoning" }),
    usage,
  ]);
  const written = replacePart(replacePart(await readFile(page, "utf8"), "tables", translated), "passed-on", passedOn);
  await expect(
    await format(written, { parser: "markdown", printWidth: 120, proseWrap: "preserve" }),
  ).toMatchFileSnapshot(page);
});
