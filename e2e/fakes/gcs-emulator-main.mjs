// Runs the storage emulator of firebase-tools in the folder that the first argument names, and prints its address.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[2] ?? "", "package.json"));
const { StorageEmulator } = require("firebase-tools/lib/emulator/storage/index.js");
const { EmulatorRegistry } = require("firebase-tools/lib/emulator/registry.js");
const { createApp } = require("firebase-tools/lib/emulator/storage/server.js");

// Without emulator.start(), which fetches a Java program for access rules that the JSON API does not ask for.
const emulator = new StorageEmulator({ projectId: "demo", host: "127.0.0.1", port: 0, rules: [] });
EmulatorRegistry.set("storage", emulator);
const app = await createApp("demo", emulator);
const server = app.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

// It never outlives the process that started it.
process.stdin.once("end", () => process.exit(0)).resume();
