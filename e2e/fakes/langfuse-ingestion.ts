import { z } from "zod";
import { isObject } from "./fake-server.ts";
import { LangfuseRefusal } from "./langfuse-auth.ts";

/** Langfuse's old batch: `POST /api/public/ingestion`, judged item by item inside a 207. */

/** One accepted event. */
export type IngestionEvent = { id: string; type: string; timestamp: string; body: Record<string, unknown> };

/** The answer, and what is to be stored. */
export type IngestionOutcome = {
  events: IngestionEvent[];
  answer: {
    successes: { id: string; status: 201 }[];
    errors: { id: string; status: number; message: string; error?: string }[];
  };
};

/** How to judge a batch. */
export type IngestionRules = {
  /** True where the deployment takes only scores (the default since 4.0). */
  eventsOnly: boolean;
  /** True where the caller showed a public key alone. */
  scoresOnly: boolean;
};

const observationTypes =
  "event span generation agent tool chain retriever evaluator embedding guardrail observation".split(" ");
const traceOrObservation = new Set(["trace-create", "span-update", "generation-update", "observation-update"]);
for (const type of observationTypes) traceOrObservation.add(`${type}-create`);
const known = new Set([...traceOrObservation, "score-create", "sdk-log"]);

const moment = z.iso.datetime({ offset: true });
const optionalText = z.string().nullish();
const envelope = z.object({
  id: z
    .string()
    .min(1)
    .max(800)
    .regex(/^[^\r]*$/),
  timestamp: moment,
  type: z.string().refine((type) => known.has(type)),
  metadata: z.unknown().optional(),
});
const traceBody = z.looseObject({
  id: optionalText,
  timestamp: moment.nullish(),
  name: z.string().max(1000).nullish(),
  sessionId: optionalText,
  userId: optionalText,
  environment: optionalText,
  release: optionalText,
  version: optionalText,
  public: z.boolean().nullish(),
  tags: z.array(z.string()).nullish(),
});
const scalar = z.union([z.string(), z.number(), z.boolean()]).nullable();
const observationBody = z.looseObject({
  id: z.string(),
  traceId: optionalText,
  name: optionalText,
  startTime: moment.nullish(),
  endTime: moment.nullish(),
  completionStartTime: moment.nullish(),
  model: optionalText,
  modelParameters: z
    .record(z.string(), z.union([scalar, z.array(z.string()), z.record(z.string(), z.string())]))
    .nullish(),
  level: z.enum(["DEBUG", "DEFAULT", "WARNING", "ERROR"]).nullish(),
  statusMessage: optionalText,
  parentObservationId: optionalText,
  version: optionalText,
  environment: optionalText,
  promptName: optionalText,
  promptVersion: z.int().nullish(),
});

/** Judges a batch; throws the 400 where there is none. */
export function judgeBatch(body: unknown, rules: IngestionRules): IngestionOutcome {
  if (!isObject(body) || !Array.isArray(body.batch)) {
    throw new LangfuseRefusal(400, {
      message: "Invalid request data",
      errors: ["Invalid input: expected array, received undefined"],
    });
  }
  const outcome: IngestionOutcome = { events: [], answer: { successes: [], errors: [] } };
  for (const item of body.batch) judgeItem(item, rules, outcome);
  return outcome;
}

function judgeItem(item: unknown, rules: IngestionRules, { events, answer }: IngestionOutcome): void {
  const id = isObject(item) && typeof item.id === "string" ? item.id : "unknown";
  const type = isObject(item) && typeof item.type === "string" ? item.type : "unknown";
  if (rules.eventsOnly && type !== "score-create") {
    const error = `Event type "${type}" is not accepted by /api/public/ingestion when LANGFUSE_MIGRATION_V4_WRITE_MODE is events_only. This endpoint only accepts score events.`;
    answer.errors.push({ id, status: 400, message: "Event type not accepted", error });
    return;
  }
  if (rules.scoresOnly && traceOrObservation.has(type)) {
    answer.errors.push({ id, status: 401, message: "Authentication error", error: "Access Scope Denied" });
    return;
  }
  const parsed = envelope.safeParse(item);
  const content = isObject(item) && isObject(item.body) ? item.body : {};
  const problem = parsed.success ? problemOfBody(type, content) : parsed.error.message;
  if (!parsed.success || problem !== null) {
    answer.errors.push({ id, status: 400, message: "Invalid request data", error: problem ?? "" });
    return;
  }
  answer.successes.push({ id, status: 201 });
  // An event without the id of its entity is acknowledged and not stored.
  if (typeof content.id === "string") {
    events.push({ id, type, timestamp: parsed.data.timestamp, body: content });
  }
}

function problemOfBody(type: string, body: Record<string, unknown>): string | null {
  if (!traceOrObservation.has(type)) return null;
  const parsed = (type === "trace-create" ? traceBody : observationBody).safeParse(body);
  if (!parsed.success) return parsed.error.message;
  const hasPromptName = typeof body.promptName === "string";
  return hasPromptName && typeof body.promptVersion !== "number" ? "promptName without promptVersion" : null;
}
