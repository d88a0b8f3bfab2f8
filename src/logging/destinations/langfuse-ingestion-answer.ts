import { readJson } from "#lib/read-json.ts";
import { z } from "zod";

/** What the server says of one event. */
export type ItemAnswer = {
  status: number;
  words: string;
  /** True where the server takes no traces this way any more, only over OpenTelemetry. */
  isEventTypeRefused: boolean;
};

const Item = z.object({
  id: z.string(),
  status: z.number().catch(500),
  message: z.string().nullish().catch(null),
  error: z.unknown().optional(),
});

const Answer = z.object({ successes: z.array(Item).default([]), errors: z.array(Item).default([]) });

/** The answers by event id; null where the text is no list of results. An error wins over a success of the same id. */
export function readIngestionAnswer(text: string): Map<string, ItemAnswer> | null {
  let body: unknown;
  try {
    body = readJson(text);
  } catch {
    return null;
  }
  const answer = Answer.safeParse(body);
  if (!answer.success) return null;
  return new Map([...answer.data.successes, ...answer.data.errors].map((item) => [item.id, toItemAnswer(item)]));
}

function toItemAnswer({ status, message, error }: z.output<typeof Item>): ItemAnswer {
  const reason = error === undefined || error === null ? "" : typeof error === "string" ? error : JSON.stringify(error);
  const words = [message ?? "", reason].filter((part) => part !== "").join(": ");
  return { status, words, isEventTypeRefused: status === 400 && message === "Event type not accepted" };
}
