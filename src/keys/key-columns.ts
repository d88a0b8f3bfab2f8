import { addDuration } from "#lib/duration.ts";
import { withoutUndefined } from "#lib/without-undefined.ts";
import { keyExtrasShape, type KeyFields } from "#keys/key.ts";
import { toLimitColumns } from "#keys/limit-fields.ts";
import { Metadata } from "#logging/read-logging.ts";

/** What LiteLLM's kinds of keys may call. */
const routesOfType = {
  default: undefined,
  llm_api: ["llm_api_routes"],
  management: ["management_routes"],
  read_only: ["info_routes"],
} as const;

/**
 * The columns that the fields of a write set, without those that need the database (team, metadata, callbacks).
 * Throws 400 for negative limits and durations that are none.
 */
export function toKeyColumns(fields: KeyFields, now: Date) {
  const routes = fields.key_type ? routesOfType[fields.key_type] : undefined;
  return withoutUndefined({
    alias: fields.key_alias,
    models: fields.models === null ? [] : fields.models,
    modelAliases: fields.aliases === null ? {} : fields.aliases,
    userId: fields.user_id,
    organizationId: fields.organization_id,
    blocked: fields.blocked,
    redaction: fields.redaction,
    allowedRoutes: routes ? [...routes] : (fields.allowed_routes ?? (fields.allowed_routes === null ? [] : undefined)),
    expires: expiryOf(fields.duration, now),
    ...toLimitColumns(fields, now),
  });
}

/** The extra fields of a write over those that are stored. */
export function mergeExtras(
  stored: unknown,
  fields: Readonly<Record<string, unknown>>,
  shape: object = keyExtrasShape,
): Metadata {
  const given = Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => Object.hasOwn(shape, name) && value !== undefined),
  );
  return { ...Metadata.catch({}).parse(stored), ...Metadata.parse(given) };
}

function expiryOf(duration: string | null | undefined, now: Date): Date | null | undefined {
  if (duration === undefined) return undefined;
  return duration === null || duration === "-1" || duration === "" ? null : addDuration(now, duration, "duration");
}
