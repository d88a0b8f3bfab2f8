import { z } from "zod";
import { assertUserHeaders } from "#lib/address-user-headers.ts";
import { AppError } from "#lib/errors.ts";
import { readJson } from "#lib/read-json.ts";

/** Headers that every request of ours has, and that a user may therefore not set. */
const ownNames = /^(content-type|content-encoding|idempotency-key|x-sluice-.*)$/;

const HeaderObject = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** What a text of headers says, or what is wrong with it. No value is ever part of the fault. */
export type ParsedHeaders = { headers: Record<string, string> } | { fault: string };

/**
 * Reads headers from a JSON object or from LiteLLM's `name=value,name2=value2`, split at the first `=`. Names are
 * lower-case in the result.
 */
export function parseWebhookHeaders(text: string): ParsedHeaders {
  const given = text.trim().startsWith("{") ? readObject(text) : readPairs(text);
  if (given === null) return { fault: "must be a JSON object of texts, or name=value,name2=value2" };
  const headers = Object.fromEntries(given.map(([name, value]) => [name.trim().toLowerCase(), value.trim()]));
  const own = Object.keys(headers).find((name) => ownNames.test(name));
  if (own !== undefined) return { fault: `the header "${own}" must not be set` };
  try {
    assertUserHeaders(headers);
  } catch (error) {
    if (error instanceof AppError) return { fault: error.message };
    throw error;
  }
  return { headers };
}

function readObject(text: string): [string, string][] | null {
  try {
    const parsed = HeaderObject.safeParse(readJson(text));
    return parsed.success ? Object.entries(parsed.data).map(([name, value]) => [name, String(value)]) : null;
  } catch {
    return null;
  }
}

function readPairs(text: string): [string, string][] | null {
  const pairs = text.split(",").filter((pair) => pair.trim() !== "");
  if (pairs.some((pair) => pair.indexOf("=") < 1)) return null;
  return pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
}
