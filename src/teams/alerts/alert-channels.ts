import { createTransport } from "nodemailer";
import type { Settings } from "#lib/env.ts";
import { UpstreamError } from "#lib/errors.ts";
import { fetchUpstream, readStart } from "#lib/fetch-upstream.ts";
import type { AlertEvent } from "#teams/alerts/alert-event.ts";

/** Where alerts go, as the operator set it. */
export type AlertChannels = Settings["alerts"];

type SmtpSettings = NonNullable<AlertChannels["smtp"]>;

/** One message to one place; `to` is only for e-mail. */
export type AlertMessage = { channel: "webhook" | "slack" | "email"; to: string; event: AlertEvent };

const timeoutMs = 10_000;
const answerBytesMax = 4_096;

/** Sends one message and resolves when it was taken; throws otherwise. */
export async function sendAlert(channels: AlertChannels, { channel, to, event }: AlertMessage): Promise<void> {
  if (channel === "email") await sendMail(channels.smtp, to, event);
  else if (channel === "slack") await post(channels.slackWebhookUrl, { text: event.event_message }, event);
  else await post(channels.webhookUrl, event, event);
}

async function post(url: string | null, body: object, { id }: AlertEvent): Promise<void> {
  if (url === null) throw new Error("The channel is not configured any more.");
  const response = await fetchUpstream(url, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": id },
    body: JSON.stringify(body),
    reach: "operator",
    totalTimeoutMs: timeoutMs,
  });
  await readStart(response, answerBytesMax);
  // Its words are not kept: nobody knows what they quote.
  if (response.status < 200 || response.status > 299) throw new UpstreamError(response.status, "It was not taken.");
}

async function sendMail(smtp: SmtpSettings | null, to: string, event: AlertEvent): Promise<void> {
  if (smtp === null) throw new Error("The channel is not configured any more.");
  const { host, port, username, password, from, isTls } = smtp;
  const isTlsFromStart = isTls && port === 465;
  const transport = createTransport({
    host,
    port,
    secure: isTlsFromStart,
    requireTLS: isTls && !isTlsFromStart,
    ignoreTLS: !isTls,
    ...(username === null ? {} : { auth: { user: username, pass: password ?? "" } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  try {
    await transport.sendMail({
      from,
      to: { name: "", address: to },
      subject: `[Sluice] ${subjects[event.event]}: ${event.callback_name}${event.team_id === null ? "" : ` of ${event.team_alias ?? event.team_id}`}`,
      text: `${event.event_message}\n\nAt: ${event.occurred_at}\nDestination: ${event.callback_id}\nEvent: ${event.id}\n`,
      messageId: `<${event.id}@sluice>`,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  } finally {
    transport.close();
  }
}

const subjects = {
  destination_failing: "Logs do not arrive",
  destination_paused: "Credentials are refused",
  destination_recovered: "Logs arrive again",
  dead_letters: "Dead letters",
} as const;
