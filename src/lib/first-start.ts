import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Tells a newcomer once, at the first start, where the gateway is and what its master key is: on a terminal as text,
 * elsewhere in a 0600 file whose name is printed.
 */
export function announceFirstStart(facts: { url: string; masterKey: string; isNew: boolean; dataDir: string }): void {
  if (!facts.isNew) return;
  const text = `\n  Sluice is running.\n\n  URL         ${facts.url}\n  Master key  ${facts.masterKey}\n\n  This is shown once; the key is kept in ${join(facts.dataDir, "master-key")}.\n\n`;
  if (process.stdout.isTTY) {
    process.stdout.write(text);
    return;
  }
  const file = join(facts.dataDir, "first-start.txt");
  writeFileSync(file, text, { mode: 0o600 });
  process.stdout.write(
    `${JSON.stringify({ service: "sluice", level: 30, time: new Date().toISOString(), file, msg: "the master key of this first start is in this file" })}\n`,
  );
}
