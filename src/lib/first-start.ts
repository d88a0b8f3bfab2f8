import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a first start tells. Null: there is nothing new to tell of it. */
export type FirstStart = {
  url: string;
  dataDir: string;
  masterKey: string | null;
  administrator: { email: string; password: string } | null;
};

/**
 * Tells a newcomer once, at the first start, where the gateway is, what its master key is and how to sign in: on a
 * terminal as text, elsewhere in a 0600 file whose name is printed.
 */
export function announceFirstStart(facts: FirstStart): void {
  if (facts.masterKey === null && facts.administrator === null) return;
  const text = toText(facts);
  if (process.stdout.isTTY) {
    process.stdout.write(text);
    return;
  }
  const file = join(facts.dataDir, "first-start.txt");
  writeFileSync(file, text, { mode: 0o600 });
  const msg = "the first start wrote the administrator's sign-in and a new master key, if it made them, to this file";
  process.stdout.write(
    `${JSON.stringify({ service: "sluice", level: 30, time: new Date().toISOString(), file, msg })}\n`,
  );
}

function toText({ url, dataDir, masterKey, administrator }: FirstStart): string {
  const lines = [
    "Sluice is running.",
    "",
    `Portal      ${url}/portal`,
    ...(administrator ? [`Sign in as  ${administrator.email}`, `Password    ${administrator.password}`] : []),
    `API         ${url}`,
    ...(masterKey === null ? [] : [`Master key  ${masterKey}`]),
    "",
    "This is shown once.",
    ...(masterKey === null ? [] : [`The master key is kept in ${join(dataDir, "master-key")}.`]),
  ];
  return `\n${lines.map((line) => `  ${line}`.trimEnd()).join("\n")}\n\n`;
}
