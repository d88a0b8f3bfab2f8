import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { format } from "prettier";
import { expect, test } from "vitest";
import { AppError } from "#lib/errors.ts";
import { fieldProbes } from "#testing/vendors/field-probes.ts";
import { sendChat, toDeployment, vendorServerOfFile } from "#testing/vendors/play-vendor.ts";
import { features, type Vendor } from "#testing/vendors/vendor-case.ts";
import { vendors } from "#testing/vendors/vendors.ts";

const page = join(import.meta.dirname, "../../../docs/providers.md");

const server = vendorServerOfFile();

/** `yes` where the vendor is asked, `400` where the request is refused before. */
async function probe(vendor: Vendor, name: string): Promise<string> {
  server.answerWith({ status: 500, body: "{}" });
  const answer = await sendChat(toDeployment(vendor, server.url), fieldProbes[name] ?? {}).catch(
    (error: unknown) => error,
  );
  if (answer instanceof AppError) return String(answer.status);
  expect(answer, `${vendor.name}: ${name}`).toMatchObject({ status: 500 });
  return "yes";
}

function toTable(first: string, rows: readonly (readonly string[])[]): string {
  const head = [first, ...vendors.map(({ name }) => `\`${name}\``)];
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

// Written anew with `vitest run src/gateway/translation/vendor-table.test.ts --update`.
test("the documentation's tables say what the recorded exchanges and the requests of each field show", async () => {
  const exchanged = Object.entries(features).map(([feature, label]) => [
    label,
    ...vendors.map(({ cases }) => (cases.some((each) => each.feature === feature) ? "yes" : "no")),
  ]);
  const fields: string[][] = [];
  for (const name of Object.keys(fieldProbes)) {
    const row = [name];
    for (const vendor of vendors) row.push(await probe(vendor, name));
    fields.push(row);
  }
  const tables = `${toTable("Exchange", exchanged)}\n\n${toTable("Field", fields)}`;
  const text = await readFile(page, "utf8");
  const [before = "", after = ""] = text.split(/<!-- tables -->[^]*<!-- \/tables -->/);
  const written = `${before}<!-- tables -->\n\n${tables}\n\n<!-- /tables -->${after}`;
  await expect(
    await format(written, { parser: "markdown", printWidth: 120, proseWrap: "preserve" }),
  ).toMatchFileSnapshot(page);
});
