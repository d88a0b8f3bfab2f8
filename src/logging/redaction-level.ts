import { z } from "zod";
import type { ContentClass } from "#logging/content-class.ts";

/** How much of a record may leave: everything, no content, or nothing but what the gateway itself knows. */
export const RedactionLevel = z.enum(["off", "content", "metadata_only"]);
export type RedactionLevel = z.output<typeof RedactionLevel>;

/** What holds for a record at a callback: a level, and classes of content that go whatever the level says. */
export type Redaction = { level: RedactionLevel; classes: readonly ContentClass[] };

const strictness = { off: 0, content: 1, metadata_only: 2 } as const;

/** The stricter of two levels. */
export function stricterLevel(left: RedactionLevel, right: RedactionLevel): RedactionLevel {
  return strictness[left] >= strictness[right] ? left : right;
}

/**
 * What LiteLLM's `turn_off_message_logging` says: true is `content`, false is `off`, in JSON, as a number or as text in
 * any case; any other value says nothing (null).
 */
export function levelOfTurnOff(value: unknown): RedactionLevel | null {
  const text = typeof value === "string" ? value.trim().toLowerCase() : value;
  if (text === true || text === 1 || ["true", "yes", "on", "1"].some((word) => word === text)) return "content";
  if (text === false || text === 0 || ["false", "no", "off", "0"].some((word) => word === text)) return "off";
  return null;
}
