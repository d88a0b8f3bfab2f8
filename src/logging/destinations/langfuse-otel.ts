import { checkLangfuse } from "#logging/destinations/langfuse-check.ts";
import { langfuseDefinition, LangfuseVars } from "#logging/destinations/langfuse-vars.ts";
import { destination } from "#logging/destinations/destination.ts";
import type { Destination } from "#logging/destinations/destination.ts";
import { previewLangfuse } from "#logging/destinations/langfuse-preview.ts";
import { sendToLangfuse } from "#logging/destinations/langfuse-send.ts";
import { toLangfuseTarget } from "#logging/destinations/langfuse-target.ts";

/** LiteLLM's callback of this name goes to the cloud in the USA where no host is given. */
const hostDefault = "https://us.cloud.langfuse.com";

/** Langfuse over OpenTelemetry alone: what `langfuse` sends, with the GenAI attributes (without content) beside it. */
export const langfuseOtel: Destination = {
  ...destination({
    label: "Langfuse (OpenTelemetry)",
    ...langfuseDefinition,
    env: {
      LANGFUSE_PUBLIC_KEY: "langfuse_public_key",
      LANGFUSE_SECRET_KEY: "langfuse_secret_key",
      // The first that is set wins.
      LANGFUSE_OTEL_HOST: "langfuse_host",
      LANGFUSE_HOST: "langfuse_host",
      LANGFUSE_TRACING_ENVIRONMENT: "langfuse_environment",
    },
    deliver: async (records, vars, context) =>
      sendToLangfuse(records, { target: toLangfuseTarget(vars, hostDefault), context, brief: false, genAi: true }),
    preview: (record, vars, context) => {
      const target = { ...toLangfuseTarget(vars, hostDefault), wire: "otlp" as const };
      return previewLangfuse(record, { target, context, brief: false, genAi: true });
    },
    check: async (vars, context) => checkLangfuse({ ...vars, langfuse_wire: "otlp" }, context, hostDefault),
  }),
  vars: LangfuseVars.omit({ langfuse_wire: true }).extend({
    langfuse_host: LangfuseVars.shape.langfuse_host.meta({
      title: "Host",
      description: "Default https://us.cloud.langfuse.com; EU: https://cloud.langfuse.com.",
    }),
  }),
};
