import type { Inputs } from "#trpc/client.tsx";

/** The states that the list can be narrowed to, in words. */
export const states = { pending: "Waiting", delivered: "Delivered", dead: "Failed", suppressed: "Suppressed" } as const;

/** A state that the list can be narrowed to; empty: all of them. */
export type ListedState = keyof typeof states | "";

type ErrorClass = NonNullable<Inputs["deliveries"]["list"]["error_class"]>;

/** The kinds of answers that the list can be narrowed to, in words. */
export const answers: Readonly<Record<ErrorClass, string>> = {
  no_answer: "No answer",
  refused_credentials: "Refused credentials",
  not_found: "Not found",
  too_large: "Too large",
  rate_limited: "Too many requests",
  refused_record: "Refused the log",
  destination_failed: "Failed itself",
};

/** So many hours back, by what the address says of it. */
export const ranges = { "1": "Last hour", "24": "Last 24 hours", "168": "Last 7 days" } as const;

/** What takes every filter out of the address. */
export const noFilters = { id: "", state: "", callback: "", answer: "", within: "", cursor: "" };

/** What an address asks of the list of a team's deliveries; what there is not asks nothing. `from` is counted by the reader. */
export function readDeliveryAddress(teamId: string, read: (name: string) => string) {
  const [id, callbackId, cursor, state] = [read("id"), read("callback"), read("cursor"), toState(read("state"))];
  const within = Object.hasOwn(ranges, read("within")) ? read("within") : "";
  const errorClass = toErrorClass(read("answer"));
  const narrower = {
    teamId,
    ...(callbackId === "" ? {} : { callback_id: callbackId }),
    ...(errorClass === undefined ? {} : { error_class: errorClass }),
  };
  const page = { ...(state === "" ? {} : { state }), ...(cursor === "" ? {} : { cursor }) };
  return { id, callbackId, cursor, state, within, errorClass, narrower, page };
}

/** When the calls began at the earliest, by the hours that an address names; undefined where it names none. */
export function toFrom(within: string, nowMs = Date.now()): string | undefined {
  return within === "" ? undefined : new Date(nowMs - Number(within) * 3_600_000).toISOString();
}

function toState(text: string): ListedState {
  return text === "pending" || text === "delivered" || text === "dead" || text === "suppressed" ? text : "";
}

function toErrorClass(text: string): ErrorClass | undefined {
  return isAnswer(text) ? text : undefined;
}

function isAnswer(text: string): text is ErrorClass {
  return Object.hasOwn(answers, text);
}
