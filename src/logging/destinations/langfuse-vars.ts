import { z } from "zod";
import { environmentPattern, parseLangfuseHost } from "#logging/destinations/langfuse-target.ts";

const text = z.string().trim();

/** LiteLLM's variables, as strict as they are when somebody saves them. All may be absent: the environment has them. */
export const LangfuseVars = z.object({
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
    aliasOf: "langfuse_secret_key",
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
  langfuse_wire: z.enum(["otlp", "ingestion"]).optional().meta({
    title: "Wire",
    description: "Found out by itself; otlp, or ingestion for servers older than 3.22, insists on one.",
  }),
});

/** The same when stored records are sent: what is wrong but not needed may not stop them. */
export const StoredLangfuseVars = LangfuseVars.extend({
  langfuse_host: z.string().optional(),
  langfuse_environment: z.string().optional().catch(undefined),
  langfuse_prompt_version: LangfuseVars.shape.langfuse_prompt_version.catch(undefined),
  langfuse_wire: LangfuseVars.shape.langfuse_wire.catch(undefined),
  langfuse_default_tags: z.array(z.string()).optional().catch(undefined),
  langfuse_proxy_base_url: z.string().optional().catch(undefined),
});

/** What both Langfuse destinations state about themselves. */
export const langfuseDefinition = {
  vars: StoredLangfuseVars,
  limits: { batchRecordsMax: 100, batchBytesMax: 2 * 1024 * 1024 },
  credentialPairs: [
    ["langfuse_public_key", "langfuse_secret_key"],
    ["langfuse_public_key", "langfuse_secret"],
  ],
  targetVars: ["langfuse_host"],
} as const;
