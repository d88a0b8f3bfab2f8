import { makeKeyring } from "#lib/seal.ts";
import { openLocalQueue } from "#logging/queue/local.ts";

/**
 * A process that appends records to the queue file of its first argument, in groups of four, and prints each record id
 * once its group is acknowledged. It goes on until it is killed, fails (it prints why), or has appended 100,000.
 */
const [path = "", masterKey = ""] = process.argv.slice(2);
const queue = openLocalQueue({ path, keyring: makeKeyring([masterKey]) });
const body = JSON.stringify({ text: "kept through the death of its process ".repeat(100) });

try {
  for (let group = 0; group < 25_000; group += 1) {
    const ids = [0, 1, 2, 3].map((place) => `record-${String(group)}-${String(place)}`);
    const entry = { callId: "call", teamId: "team", keyHash: null, createdAtMs: 1, contents: [] };
    await queue.append(
      ids.map((recordId) => ({ ...entry, recordId, contents: [{ body, callbackIds: ["first", "second"] }] })),
    );
    process.stdout.write(ids.map((id) => `${id}\n`).join(""));
    if (group % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
} catch (error) {
  process.stdout.write(`failed ${error instanceof Error ? error.message : String(error)}\n`);
}
