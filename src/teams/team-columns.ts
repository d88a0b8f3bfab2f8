import { withoutUndefined } from "#lib/without-undefined.ts";
import { toLimitColumns } from "#keys/limit-fields.ts";
import type { TeamFields } from "#teams/team.ts";

/** The columns that the fields of a write set, without metadata and callbacks. Throws 400 for negative limits. */
export function toTeamColumns(fields: TeamFields, now: Date) {
  return withoutUndefined({
    alias: fields.team_alias,
    organizationId: fields.organization_id,
    models: fields.models === null ? [] : fields.models,
    modelAliases: fields.model_aliases === null ? {} : fields.model_aliases,
    blocked: fields.blocked === null ? false : fields.blocked,
    redaction: fields.redaction,
    mustLog: fields.must_log ?? (fields.must_log === null ? false : undefined),
    ...toLimitColumns(fields, now),
  });
}
