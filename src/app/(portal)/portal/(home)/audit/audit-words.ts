import type { Inputs, Outputs } from "#trpc/client.tsx";

type Filter = NonNullable<Inputs["audit"]["all"]>;

/** What was done, as a sentence about somebody begins it. */
export const actionWords: Readonly<Record<NonNullable<Filter["action"]>, string>> = {
  create: "Made",
  update: "Changed",
  delete: "Deleted",
  block: "Blocked",
  unblock: "Unblocked",
  add_callback: "Added a destination to",
  update_callback: "Changed a destination of",
  delete_callback: "Removed a destination of",
  disable_logging: "Disabled logging of",
  add_members: "Added members to",
  update_member: "Changed a member of",
  delete_member: "Removed a member of",
  regenerate: "Rotated",
  reset_spend: "Reset the spend of",
  replay_deliveries: "Replayed failed logs of",
  discard_deliveries: "Discarded failed logs of",
  backfill_deliveries: "Sent kept logs to a destination of",
};

/** What it was done to. */
export const objectWords: Readonly<Record<NonNullable<Filter["objectType"]>, string>> = {
  team: "team",
  key: "key",
  user: "user",
  delivery: "team",
};

/** The action that a text names; undefined where it names none. */
export function toAction(text: string): Filter["action"] {
  return isNamed(actionWords, text) ? text : undefined;
}

/** The kind of object that a text names; undefined where it names none. */
export function toObjectType(text: string): Filter["objectType"] {
  return isNamed(objectWords, text) ? text : undefined;
}

/** What was done to what, in words. */
export function describeChange({ action, object_type }: Outputs["audit"]["all"]["changes"][number]): string {
  const [did, what] = [toAction(action), toObjectType(object_type)];
  return `${did ? actionWords[did] : action} ${what ? objectWords[what] : object_type}`;
}

function isNamed<Name extends string>(words: Readonly<Record<Name, string>>, text: string): text is Name {
  return Object.hasOwn(words, text);
}
