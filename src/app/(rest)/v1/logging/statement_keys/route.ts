import { z } from "zod";
import { route } from "#http/route.ts";
import { signerState } from "#lib/sign.ts";

const Key = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string(),
  kid: z.string(),
  use: z.literal("sig"),
  alg: z.literal("EdDSA"),
});

/** Public keys are for everybody: who checks a statement need not be a user. */
export const GET = route(
  {
    auth: "none",
    class: "open",
    describe: {
      summary: "Read the public keys of signed statements",
      details: "A JSON Web Key Set, the key in use first.",
      tag: "Logs",
      answer: z.object({ keys: z.array(Key) }),
    },
  },
  async () => ({ keys: [...signerState.get().publicKeys] }),
);
