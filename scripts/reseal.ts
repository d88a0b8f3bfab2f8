import "#lib/v8-flags.ts";
import { existsSync } from "node:fs";
import { AppError } from "#lib/errors.ts";
import { reseal } from "#reseal.ts";

/**
 * `npm run reseal [-- --config FILE] [-- --lost ID]`: seals everything that is stored under the newest encryption key, with
 * the settings of the gateway. Exits with 1 if something is left.
 */
if (existsSync(".env")) process.loadEnvFile(".env");

try {
  const code = await reseal({
    env: process.env,
    args: process.argv.slice(2),
    print: (line) => {
      process.stdout.write(`${line}\n`);
    },
  });
  process.exit(code);
} catch (error) {
  const reason = error instanceof AppError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`Nothing could be resealed:\n${String(reason)}\n`);
  process.exit(1);
}
