import { destination } from "#logging/destinations/destination.ts";
import type { Destination } from "#logging/destinations/destination.ts";
import { checkLangfuse } from "#logging/destinations/langfuse-check.ts";
import { deliverToLangfuse } from "#logging/destinations/langfuse-deliver.ts";
import { previewLangfuse } from "#logging/destinations/langfuse-preview.ts";
import { toLangfuseTarget } from "#logging/destinations/langfuse-target.ts";
import { langfuseDefinition, LangfuseVars } from "#logging/destinations/langfuse-vars.ts";

/**
 * Langfuse: every record becomes a generation in the project of the keys, over OpenTelemetry (JSON), which Langfuse
 * has taken since 3.22, or by the ingestion batch of older servers.
 */
export const langfuse: Destination = {
  ...destination({
    label: "Langfuse",
    ...langfuseDefinition,
    env: {
      LANGFUSE_PUBLIC_KEY: "langfuse_public_key",
      LANGFUSE_SECRET_KEY: "langfuse_secret_key",
      LANGFUSE_HOST: "langfuse_host",
      LANGFUSE_TRACING_ENVIRONMENT: "langfuse_environment",
    },
    deliver: async (records, vars, context) =>
      deliverToLangfuse(records, { target: toLangfuseTarget(vars), context, brief: false }),
    check: async (vars, context) => checkLangfuse(vars, context),
    preview: (record, vars, context) =>
      previewLangfuse(record, { target: toLangfuseTarget(vars), context, brief: false }),
  }),
  vars: LangfuseVars,
};
