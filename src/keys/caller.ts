import type { Actor } from "#keys/actor.ts";
import type { CacheControls } from "#keys/cache-controls.ts";
import type { CallBudget } from "#keys/call-budgets.ts";
import type { CallLimits } from "#keys/call-limits.ts";
import type { LoggingPolicy } from "#logging/policy.ts";
import type { RecordCaller } from "#logging/record.ts";

/** Who is calling: the master key's holder or a virtual key, with everything that a call needs to know of it. */
export type Caller = {
  /** The role of the key's user; `unknown` for a key that belongs to nobody. */
  role: Actor["role"];
  /** SHA-256 of the virtual key; null for the master key. */
  keyHash: string | null;
  /** As whom the caller acts: `default_user_id` with the master key, and with a virtual key its user, if he exists. */
  userId: string | null;
  teamId: string | null;
  /** Model names that key and team allow; an empty list allows all. */
  keyModels: readonly string[];
  teamModels: readonly string[];
  /** The client's model name -> name in the model list; the key's entries win over the team's. */
  modelAliases: Readonly<Record<string, string>>;
  allowedRoutes: readonly string[];
  expires: Date | null;
  /** Why the key may not be used now (blocked, or its team is), in the wire's words; null where it may. */
  refusal: string | null;
  /** The key was deleted or replaced. It is refused like an unknown key, and its team's policy routes the log. */
  isRetired?: true;
  /** Tags that key and team put on every call. */
  tags: readonly string[];
  /** Callback names that the key's metadata switches off. */
  disabledCallbacks: readonly string[];
  /** Whether the client may lift redaction by a header. */
  mayOptOutOfRedaction: boolean;
  /** What of key, team, member and user is limited; empty where nothing is. */
  limits: readonly CallLimits[];
  /** The budgets that its calls count against; empty where there is none. */
  budgets: readonly CallBudget[];
  /** What key and team say of the response cache. */
  cacheControls: readonly CacheControls[];
  /** The controls of the response cache that its requests may set; an empty list allows all. */
  allowedCacheControls: readonly string[];
  /** What answers say of the key; null for the master key. */
  keyNumbers: KeyNumbers | null;
  logging: LoggingPolicy;
  /** Attribution, as it stands in every record. */
  attribution: RecordCaller;
};

/** Spend (USD, as of when the key was read), budget and limits of a key; null: no limit. */
export type KeyNumbers = {
  spend: number;
  maxBudget: number | null;
  tokensPerMinute: number | null;
  requestsPerMinute: number | null;
};

/** Whoever calls a route that is open to everybody. */
export const strangerCaller: Caller = {
  role: "unknown",
  keyHash: null,
  userId: null,
  teamId: null,
  keyModels: [],
  teamModels: [],
  modelAliases: {},
  allowedRoutes: [],
  expires: null,
  refusal: null,
  tags: [],
  disabledCallbacks: [],
  mayOptOutOfRedaction: false,
  limits: [],
  budgets: [],
  cacheControls: [],
  allowedCacheControls: [],
  keyNumbers: null,
  logging: { level: "global", targets: [], silentRedaction: "off" },
  attribution: {
    keyHash: null,
    keyAlias: null,
    userId: null,
    userEmail: null,
    teamId: null,
    teamAlias: null,
    organizationId: null,
  },
};
