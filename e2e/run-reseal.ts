import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs `npm run reseal` with the settings of a gateway; gives its exit code and all that it printed. */
export async function runReseal(
  place: { keys: string; dataDir: string; databaseUrl: string | null; masterKey: string },
  args: readonly string[],
): Promise<{ code: number | null; text: string }> {
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: "production",
    SLUICE_CONFIG: join(place.dataDir, "no-config.yaml"),
    SLUICE_DATA_DIR: place.dataDir,
    SLUICE_MASTER_KEY: place.masterKey,
    SLUICE_ENCRYPTION_KEY: place.keys,
    ...(place.databaseUrl === null ? {} : { DATABASE_URL: place.databaseUrl }),
  } as const;
  writeFileSync(env.SLUICE_CONFIG, "{}");
  const child = spawn(process.execPath, ["scripts/reseal.ts", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => void (text += chunk.toString("utf8")));
  }
  await once(child, "close");
  return { code: child.exitCode, text };
}
