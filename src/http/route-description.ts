import type { z } from "zod";

/** The chapters of the interface's description, each with one line for people. */
export const routeTags = {
  Calls: "Calls of models, in OpenAI's shapes.",
  Logs: "Where the logs of a call go, what would be sent there, and what became of them.",
  "Team callbacks": "Where the logs of a team go.",
  Teams: "Teams and their members.",
  Keys: "Virtual keys.",
  Users: "Users and their roles.",
  Health: "Whether the gateway, its models and its destinations work.",
  Operations: "For operators: figures, audit, routes and this description.",
} as const;

/** A chapter of the interface's description. */
export type RouteTag = keyof typeof routeTags;

/** The statuses that a route may refuse with, beside those that follow from who may call and what is sent. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 422 | 429 | 500 | 502 | 503 | 504 | "4XX" | "5XX";

/**
 * What a route says of itself in `/openapi.json`. `http/open-api.ts` adds what follows from the rest: parameters, body,
 * who may call, and the refusals that every route of its kind has.
 */
export type RouteDescription<Body, Answer extends z.ZodType> = {
  /** One line, without a full stop. */
  summary: string;
  tag: RouteTag;
  /** What the summary leaves open, in Markdown. */
  details?: string;
  /** What a 200 holds. Route tests compare every answer with it. */
  answer: Answer;
  /** What a 200 is, where it is not JSON. */
  contentType?: string | readonly string[];
  /** What a 200 of a streamed answer holds (`text/event-stream`), in words; absent: it never streams. */
  stream?: string;
  /** A body that works; required by a test where there is a body. */
  example?: Body;
  /** An answer as it comes. */
  answerExample?: z.input<Answer>;
  /** What each parameter of the path is. */
  params?: Readonly<Record<string, { description: string; example: string }>>;
  /** When a route refuses with a status. */
  refusals?: Readonly<Partial<Record<RefusalStatus, string>>>;
};

/** The refusals of a call that is passed on: an upstream's own status is passed on, too. */
export const upstreamRefusals = {
  400: "The body does not fit, or there is no such model.",
  403: "The key or its team may not use the model, or the key may not call this route.",
  "4XX": "The upstream's own refusal, with its status, type and code.",
  "5XX": "The upstream failed or cannot be reached, or the record of the call cannot be queued (503).",
} as const;
