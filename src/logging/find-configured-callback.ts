import type { Config } from "#lib/config.ts";
import { defaultTeamCallbacks, globalCallbacks } from "#logging/policy.ts";

/** The team of a callback that stands in config.yaml, null where it is for everybody; null where there is no such one. */
export function findConfiguredCallback(callbackId: string, config: Config): { teamId: string | null } | null {
  const isIt = (target: { callbackId: string }): boolean => target.callbackId === callbackId;
  if (globalCallbacks(config).some(isIt)) return { teamId: null };
  const settings = config.litellm_settings.default_team_settings;
  const entry = settings.find((_entry, index) => defaultTeamCallbacks(index, config).some(isIt));
  return entry ? { teamId: entry.team_id } : null;
}
