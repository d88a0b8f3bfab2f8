import { LRUCache } from "lru-cache";
import type { Config } from "#lib/config.ts";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import type { Delivery } from "#logging/delivery.ts";
import type { AlertChannels } from "#teams/alerts/alert-channels.ts";
import { followAlerts, noteHealth, type AlertChannel, type AlertRules } from "#teams/alerts/note-health.ts";
import { sendAlerts } from "#teams/alerts/send-alerts.ts";

const everyMs = 2_000;
const channelNames: readonly AlertChannel[] = ["webhook", "slack", "email"];

/**
 * The rules that config.yaml states, with a warning per name that is not known. Throws one `AppError` with a line per
 * channel that is named and not set up.
 */
export function readAlertRules(
  { general_settings: settings }: Config,
  channels: AlertChannels,
): { rules: AlertRules; warnings: string[] } {
  const named = channelNames.filter((name) => settings.alerting.includes(name));
  const warnings = settings.alerting
    .filter((name) => !channelNames.some((known) => known === name))
    .map(
      (name) => `general_settings.alerting: ${name} is not known and does nothing. Fix: use webhook, slack or email.`,
    );
  const problems = named.flatMap((name) =>
    isSetUp(name, channels) ? [] : [`general_settings.alerting: ${missing[name]}`],
  );
  if (problems.length > 0) throw new AppError("bad_request", problems.join("\n"));
  const rules = {
    channels: named,
    failingAfterMs: settings.alerting_args.destination_failing_seconds * 1_000,
    deadLettersEveryMs: settings.alerting_args.dead_letters_minutes * 60_000,
    emails: settings.alert_emails,
  };
  return { rules, warnings };
}

function isSetUp(name: AlertChannel, { webhookUrl, slackWebhookUrl, smtp }: AlertChannels): boolean {
  return { webhook: webhookUrl, slack: slackWebhookUrl, email: smtp }[name] !== null;
}

const missing = {
  webhook: "webhook is named, and WEBHOOK_URL is missing. Fix: set it to the address that takes the events.",
  slack: "slack is named, and SLACK_WEBHOOK_URL is missing. Fix: set it to the incoming webhook of the channel.",
  email: "email is named, and SMTP_HOST or SMTP_SENDER_EMAIL is missing. Fix: set both.",
} as const;

/**
 * Watches the destinations and tells of them, every two seconds. Without a channel it does nothing at all. The returned
 * function ends it.
 */
export function startAlerts(
  db: Database["db"],
  { delivery, rules, channels }: { delivery: Pick<Delivery, "health">; rules: AlertRules; channels: AlertChannels },
): () => Promise<void> {
  if (rules.channels.length === 0) return async () => undefined;
  const deliveredAt = new LRUCache<string, Date>({ max: 20_000 });
  let running: Promise<void> | null = null;

  async function look(): Promise<void> {
    const reports = await delivery.health();
    const now = new Date();
    for (const { callbackId, delivered } of reports) if (delivered) deliveredAt.set(callbackId, now);
    await noteHealth(db, { reports, rules, now });
    await followAlerts(db, { deliveredAt, rules, now });
    await sendAlerts(db, channels);
  }

  const timer = setInterval(() => {
    running ??= look()
      .catch((error: unknown) => {
        currentLogger().warn({ error: String(error) }, "alerts could not be looked after");
      })
      .finally(() => (running = null));
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
