import type { Config } from "#lib/config.ts";
import type { TeamVarsSettings } from "#logging/destinations/destination.ts";

/** What config.yaml allows to the variables that a team or a key writes. */
export function teamVarsSettings(config: Config): TeamVarsSettings {
  const { service_account_dirs: serviceAccountDirs, google_token_uris: googleTokenUris } = config.general_settings;
  return { serviceAccountDirs, googleTokenUris };
}
