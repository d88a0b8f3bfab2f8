import type { Config } from "#lib/config.ts";
import { listGlobalCallbacks } from "#logging/list-global-callbacks.ts";

/** One setting that holds for the whole gateway, under its name in `config.yaml`. None of them is a secret. */
export type DescribedSetting = { name: string; title: string; value: string | number | boolean | string[] };

/** What of the gateway's settings belongs together. */
export type SettingGroup = { title: string; settings: DescribedSetting[] };

/** A public model name, and what answers it; how that is reached and paid for is left out. */
export type DescribedModel = { name: string; upstream: string };

/** What holds for every team, taken name by name from the configuration in force. */
export function describeSettings(config: Config): { groups: SettingGroup[]; models: DescribedModel[] } {
  const models = config.model_list.map((entry) => ({
    name: entry.model_name,
    upstream: entry.litellm_params.model,
  }));
  return {
    groups: [
      { title: "Logging", settings: loggingSettings(config) },
      { title: "Redaction", settings: redactionSettings(config) },
      { title: "Reach of teams", settings: reachSettings(config) },
      { title: "Delivery and retention", settings: deliverySettings(config) },
    ],
    models,
  };
}

function loggingSettings({ litellm_settings: litellm, general_settings: general, logging }: Config) {
  const { success, failure, success_and_failure: both } = listGlobalCallbacks();
  const named = [...both, ...success.map((name) => `${name} (success)`), ...failure.map((name) => `${name} (failure)`)];
  return [
    setting("litellm_settings.callbacks", "Default destinations", named),
    setting(
      "litellm_settings.default_team_settings",
      "Teams with destinations set here",
      litellm.default_team_settings.map(({ team_id: teamId }) => teamId),
    ),
    setting("general_settings.must_log", "Every call must be logged", general.must_log),
    setting(
      "logging.commit",
      "Records are committed",
      logging.commit === "before_answer" ? "before the answer ends" : "after the answer",
    ),
    setting(
      "litellm_settings.global_disable_no_log_param",
      "Requests cannot opt out",
      litellm.global_disable_no_log_param,
    ),
    setting(
      "general_settings.allow_client_side_credentials",
      "Requests may bring credentials",
      general.allow_client_side_credentials,
    ),
    setting("litellm_settings.store_audit_logs", "Changes are written to the audit log", litellm.store_audit_logs),
  ];
}

function redactionSettings({ litellm_settings: litellm, general_settings: general }: Config) {
  return [
    setting(
      "litellm_settings.turn_off_message_logging",
      "Content is redacted by default",
      litellm.turn_off_message_logging,
    ),
    setting("general_settings.enforce_redaction", "Nobody may loosen that", general.enforce_redaction),
    setting(
      "litellm_settings.allow_client_message_redaction_opt_out",
      "Requests may loosen it",
      litellm.allow_client_message_redaction_opt_out,
    ),
    setting(
      "litellm_settings.redaction_keep_metadata_keys",
      "Metadata that is never redacted",
      litellm.redaction_keep_metadata_keys,
    ),
  ];
}

function reachSettings({ general_settings: general }: Config) {
  return [
    setting(
      "general_settings.private_destination_hosts",
      "Private hosts that are open",
      general.private_destination_hosts,
    ),
    setting("general_settings.env_references", "Variables that destinations may name", general.env_references),
    setting("general_settings.service_account_dirs", "Folders of service accounts", general.service_account_dirs),
    setting("general_settings.lenient_callbacks", "Unknown callbacks are accepted", general.lenient_callbacks),
    setting("general_settings.max_request_size_mb", "Largest request, in MB", general.max_request_size_mb),
  ];
}

function deliverySettings({ general_settings: { delivery }, retention }: Config) {
  return [
    setting("general_settings.delivery.tries_max", "Tries of a record", delivery.tries_max),
    setting("general_settings.delivery.age_max_hours", "Hours until a record is given up", delivery.age_max_hours),
    setting("retention.content_hours", "Hours that delivered content is kept", retention.content_hours),
    setting("retention.deliveries_days", "Days that deliveries are listed", retention.deliveries_days),
    setting("retention.dead_letters_days", "Days that failed logs are kept", retention.dead_letters_days),
  ];
}

function setting(name: string, title: string, value: DescribedSetting["value"]): DescribedSetting {
  return { name, title, value };
}
