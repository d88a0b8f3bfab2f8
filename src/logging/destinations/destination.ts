import type { z } from "zod";
import type { LogRecord } from "#logging/record.ts";

/**
 * Who chose the target. `operator`: written in config.yaml, trusted. `guarded`: set by a team, a key or a request, so
 * every connection passes the address guard.
 */
export type Reach = "operator" | "guarded";

/** What `deliver` and `check` get beside records and variables. */
export type DeliveryContext = {
  /** The callback that is being served; ids at the destination derive from record id and callback id. */
  callbackId: string;
  reach: Reach;
  /** Aborted when the team's logging is disabled, the deadline passes or the process stops. */
  signal: AbortSignal;
};

/** What became of one record, in the order in which the records were given. */
export type DeliveryResult =
  | { outcome: "delivered"; status: number; message?: string }
  | { outcome: "dead"; status: number; message: string }
  | { outcome: "retry"; status: number; message: string; retryAfterMs?: number };

/** What a health check found. No text of it holds a secret. */
export type CheckResult = {
  state: "healthy" | "unhealthy" | "unverified";
  /** The destination's own words, or what is wrong, in one sentence. */
  message: string;
  /** Where records land: the project's or bucket's name, where the destination tells. */
  target: string | null;
};

/** The request that a delivery would send. Credentials in the headers are masked, the body is before compression. */
export type DeliveryPreview = {
  method: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  /** The body byte for byte; where that is no text, the same as text, and the bytes in `bodyBase64`. */
  body: string;
  bodyBase64?: string;
  /** When the destination would get something else than this, in one sentence. */
  note?: string;
};

/** What the operator allows to the variables that a team or a key writes. */
export type TeamVarsSettings = {
  /** Folders on this machine in which files may lie that variables name. */
  serviceAccountDirs: readonly string[];
  /** Addresses beside Google's own at which a service account may ask for tokens. */
  googleTokenUris: readonly string[];
};

/** What is wrong with a variable. The message is shown and repeats no value. */
export type VarsFault = { name: string; message: string };

/** The limits of one request to a destination. */
export type DestinationLimits = {
  batchRecordsMax: number;
  batchBytesMax: number;
};

/** What a destination file states. `Vars` is the zod schema of its `callback_vars`; secret fields carry `meta({ secret: true })`. */
export type DestinationDefinition<Vars extends z.ZodObject> = {
  label: string;
  vars: Vars;
  limits: DestinationLimits;
  /** True where only config.yaml may use it, never a team or a key. */
  operatorOnly?: boolean;
  /**
   * Pairs of variables of which both or neither must be given. Pairs with the same first name are alternatives: any
   * one of their second names completes it.
   */
  credentialPairs?: readonly (readonly [string, string])[];
  /** Variables that name where records go; a change of one clears the stored secrets. */
  targetVars?: readonly string[];
  /**
   * The addresses that these variables lead to where these are put together of several; none where they lead nowhere.
   * What a variable itself holds as an address (`_host`, `_url`, `_endpoint`) is known without.
   */
  targetUrls?(vars: Readonly<Record<string, unknown>>): readonly string[];
  /**
   * What is wrong with the variables that a team or a key wrote, beyond what their schema says; null: nothing. Asked
   * when they are saved and whenever they are used. References to the environment are not resolved yet.
   */
  checkVars?(vars: Readonly<Record<string, unknown>>, settings: TeamVarsSettings): VarsFault | null;
  /** Environment variable -> variable, for the operator's credentials (LiteLLM's names). */
  env?: Readonly<Record<string, string>>;
  /**
   * Sends the records. Resolves with one result per record once the vendor has acknowledged (or refused) them; throws
   * `UpstreamError` where the whole batch met the same fault.
   */
  deliver(
    records: readonly LogRecord[],
    vars: z.output<Vars>,
    context: DeliveryContext,
  ): Promise<readonly DeliveryResult[]>;
  /** Proves the credentials and, where it can, the right to write. Never throws for a fault of the destination. */
  check(vars: z.output<Vars>, context: DeliveryContext): Promise<CheckResult>;
  /**
   * What `deliver` would send for this record alone, without sending anything. Throws `UpstreamError` where it would
   * send nothing: the variables do not suffice, or leave the record out.
   */
  preview(
    record: LogRecord,
    vars: z.output<Vars>,
    context: DeliveryContext,
  ): DeliveryPreview | Promise<DeliveryPreview>;
};

/** A destination as the rest of the product sees it: variables are unknown until parsed. */
export type Destination = Omit<DestinationDefinition<z.ZodObject>, "deliver" | "check" | "preview"> & {
  deliver(records: readonly LogRecord[], vars: unknown, context: DeliveryContext): Promise<readonly DeliveryResult[]>;
  check(vars: unknown, context: DeliveryContext): Promise<CheckResult>;
  preview(record: LogRecord, vars: unknown, context: DeliveryContext): Promise<DeliveryPreview>;
};

/** Makes a destination of its definition; variables are parsed again before each `deliver`, `check` and `preview`. */
export function destination<Vars extends z.ZodObject>(definition: DestinationDefinition<Vars>): Destination {
  return {
    ...definition,
    deliver: async (records, vars, context) => definition.deliver(records, definition.vars.parse(vars), context),
    check: async (vars, context) => definition.check(definition.vars.parse(vars), context),
    preview: async (record, vars, context) => definition.preview(record, definition.vars.parse(vars), context),
  };
}
