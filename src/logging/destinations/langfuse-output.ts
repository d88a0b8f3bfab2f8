import type { Json, JsonObject, LogRecord } from "#logging/record.ts";

/**
 * What Langfuse shows as a successful call's output: the first choice's message or text, or what other operations
 * answer with instead. Undefined where there is nothing to show (embeddings, no choices).
 */
export function toLangfuseOutput(record: LogRecord): Json | undefined {
  const response = record.response;
  if (response === null || record.callType.includes("embedding")) return undefined;
  const choices = response["choices"];
  if (Array.isArray(choices)) return outputOfChoice(choices[0]);
  if (response["type"] === "message") return pick(response, ["role", "content"]);
  for (const name of ["output", "data", "results", "text"]) {
    const value = response[name];
    if (value !== undefined && value !== null) return value;
  }
  return response;
}

function outputOfChoice(choice: Json | undefined): Json | undefined {
  if (typeof choice !== "object" || choice === null || Array.isArray(choice)) return undefined;
  return choice["message"] ?? choice["text"] ?? undefined;
}

function pick(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, object[name] ?? null]));
}
