import { expect, test } from "vitest";
import { Config } from "#lib/config-schema.ts";
import { destinations } from "#logging/destinations/index.ts";
import { isAllowedReference } from "#logging/env-reference.ts";

const config = Config.parse({});

test.each(Object.entries(destinations))(
  "by default a reference may name what %s takes from the environment",
  (...row) => {
    const [, destination] = row;
    for (const variable of Object.keys(destination.env ?? {})) {
      expect(isAllowedReference(variable, config), variable).toBe(true);
    }
  },
);

test("by default a reference may name nothing of ours, of the database or of anybody else", () => {
  for (const name of [
    "SLUICE_MASTER_KEY",
    "LITELLM_SALT_KEY",
    "DATABASE_URL",
    "OPENAI_API_KEY",
    "PATH",
    "XLANGFUSE_A",
  ]) {
    expect(isAllowedReference(name, config), name).toBe(false);
  }
});
