import { z } from "zod";
import { destination } from "#logging/destinations/destination.ts";
import type { Destination } from "#logging/destinations/destination.ts";
import { checkOtel, previewOtel, sendToOtel } from "#logging/destinations/otel-send.ts";
import { parseOtelEndpoint, parseOtelHeaders, toOtelTarget } from "#logging/destinations/otel-target.ts";

const text = z.string().trim();

/** The variables as strict as they are when somebody saves them. */
const OtelVars = z.object({
  otel_endpoint: text
    .refine((endpoint) => endpoint === "" || parseOtelEndpoint(endpoint) !== null, "must be an http or https address")
    .optional()
    .meta({
      title: "Endpoint",
      description: "The address of an OTLP/HTTP receiver; /v1/traces is added where it is missing.",
    }),
  otel_headers: text
    .superRefine((headers, issues) => {
      const parsed = parseOtelHeaders(headers);
      if (typeof parsed === "string") issues.addIssue({ code: "custom", message: parsed });
    })
    .optional()
    .meta({ title: "Headers", description: "name=value pairs separated by commas, or a JSON object.", secret: true }),
  otel_protocol: z
    .enum(["http/json", "http/protobuf"])
    .optional()
    .meta({ title: "Protocol", description: "http/json (the default) or http/protobuf." }),
});

/** The same when stored records are sent: `toOtelTarget` says what is wrong, and the records wait. */
const StoredOtelVars = z.object({
  otel_endpoint: z.string().optional(),
  otel_headers: z.string().optional(),
  otel_protocol: OtelVars.shape.otel_protocol.catch(undefined),
});

/** OpenTelemetry: every record becomes a client span by the GenAI conventions, sent over OTLP/HTTP. */
export const otel: Destination = {
  ...destination({
    label: "OpenTelemetry",
    vars: StoredOtelVars,
    limits: { batchRecordsMax: 256, batchBytesMax: 2 * 1024 * 1024 },
    targetVars: ["otel_endpoint"],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: "otel_endpoint",
      OTEL_EXPORTER_OTLP_HEADERS: "otel_headers",
      // LiteLLM's own names; the first that is set wins.
      OTEL_ENDPOINT: "otel_endpoint",
      OTEL_HEADERS: "otel_headers",
      OTEL_EXPORTER_OTLP_PROTOCOL: "otel_protocol",
    },
    deliver: async (records, vars, context) =>
      sendToOtel(records, { target: toOtelTarget(vars), context, brief: false }),
    check: checkOtel,
    preview: (record, vars, context) => previewOtel(record, { target: toOtelTarget(vars), context, brief: false }),
  }),
  vars: OtelVars,
};
