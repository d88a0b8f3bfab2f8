import { z } from "zod";
import { destination } from "#logging/destinations/destination.ts";
import type { Destination } from "#logging/destinations/destination.ts";
import { checkLangfuse } from "#logging/destinations/langfuse-check.ts";
import { sendToLangfuse } from "#logging/destinations/langfuse-send.ts";
import { environmentPattern, parseLangfuseHost, toLangfuseTarget } from "#logging/destinations/langfuse-target.ts";

const text = z.string().trim();

/** LiteLLM's variables, as strict as they are when somebody saves them. All may be absent: the environment has them. */
const LangfuseVars = z.object({
  langfuse_public_key: text.optional().meta({
    title: "Public key",
    description: "Starts with pk-lf-; in Langfuse under Project settings, API keys.",
    secret: true,
  }),
  langfuse_secret_key: text.optional().meta({
    title: "Secret key",
    description: "Starts with sk-lf-. It alone decides in which project the records land.",
    secret: true,
  }),
  langfuse_secret: text.optional().meta({
    title: "Secret key (other name)",
    description: "The same as the secret key; wins where both are given.",
    secret: true,
  }),
  langfuse_host: text
    .refine((host) => host === "" || parseLangfuseHost(host) !== null, "must be an http or https address")
    .optional()
    .meta({ title: "Host", description: "Default https://cloud.langfuse.com; US: https://us.cloud.langfuse.com." }),
  langfuse_environment: text
    .regex(environmentPattern, "must be lower-case letters, digits, - or _, at most 40, and not begin with langfuse")
    .optional()
    .meta({ title: "Environment", description: "The environment that Langfuse shows the records in." }),
  langfuse_prompt_version: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .optional()
    .meta({ title: "Prompt version", description: "For calls whose metadata names a prompt without a version." }),
});

/** The same when stored records are sent: what is wrong but not needed may not stop them. */
const StoredLangfuseVars = LangfuseVars.extend({
  langfuse_host: z.string().optional(),
  langfuse_environment: z.string().optional().catch(undefined),
  langfuse_prompt_version: LangfuseVars.shape.langfuse_prompt_version.catch(undefined),
});

/**
 * Langfuse: every record becomes a generation in the project of the keys, over OpenTelemetry (JSON), which Langfuse
 * has taken since 3.22.
 */
export const langfuse: Destination = {
  ...destination({
    label: "Langfuse",
    vars: StoredLangfuseVars,
    limits: { batchRecordsMax: 100, batchBytesMax: 2 * 1024 * 1024 },
    credentialPairs: [
      ["langfuse_public_key", "langfuse_secret_key"],
      ["langfuse_public_key", "langfuse_secret"],
    ],
    targetVars: ["langfuse_host"],
    env: {
      LANGFUSE_PUBLIC_KEY: "langfuse_public_key",
      LANGFUSE_SECRET_KEY: "langfuse_secret_key",
      LANGFUSE_HOST: "langfuse_host",
      LANGFUSE_TRACING_ENVIRONMENT: "langfuse_environment",
    },
    deliver: async (records, vars, context) =>
      sendToLangfuse(records, { target: toLangfuseTarget(vars), context, brief: false }),
    check: checkLangfuse,
  }),
  vars: LangfuseVars,
};
