import type { Config } from "#lib/config.ts";
import { findDestination, knownCallbackNames } from "#logging/destinations/index.ts";

/**
 * Warnings for the callbacks in config.yaml that this gateway does not have. LiteLLM knows many more; a file that names
 * them still starts.
 */
export function checkCallbackNames(config: Config): string[] {
  const settings = config.litellm_settings;
  const named = [...settings.success_callback, ...settings.failure_callback, ...settings.callbacks];
  const places = [
    ...named.map((name) => ({ name, place: "litellm_settings" })),
    ...settings.default_team_settings.flatMap((entry) =>
      [...entry.success_callback, ...entry.failure_callback].map((name) => ({
        name,
        place: `default_team_settings of team ${entry.team_id}`,
      })),
    ),
  ];
  const unknown = places.filter(({ name }) => !findDestination(name));
  return [
    ...new Set(
      unknown.map(
        ({ name, place }) =>
          `${place}: the callback "${name}" is not supported and gets nothing. Supported: ${knownCallbackNames.join(", ")}.`,
      ),
    ),
  ];
}
