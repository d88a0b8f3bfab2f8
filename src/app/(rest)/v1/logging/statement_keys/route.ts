import { z } from "zod";
import { route } from "#http/route.ts";
import { listStatementKeys, StatementKey } from "#teams/list-statement-keys.ts";

/** Public keys are for everybody: who checks a statement need not be a user. */
export const GET = route(
  {
    auth: "none",
    class: "open",
    describe: {
      summary: "Read the public keys of signed statements",
      details: "A JSON Web Key Set, the key in use first. Keys that are retired stay in it.",
      tag: "Logs",
      answer: z.object({ keys: z.array(StatementKey) }),
    },
  },
  async ({ db }) => ({ keys: await listStatementKeys(db) }),
);
