import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { configState, parseConfig } from "#lib/config.ts";
import type { DestinationHealth } from "#logging/destination-health.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeTeam } from "#testing/make.ts";
import { startSmtpServer, type SmtpServer } from "#testing/smtp-server.ts";
import type { AlertChannels } from "#teams/alerts/alert-channels.ts";
import { AlertEvent } from "#teams/alerts/alert-event.ts";
import { followAlerts, noteHealth, type AlertRules } from "#teams/alerts/note-health.ts";
import { sendAlerts } from "#teams/alerts/send-alerts.ts";
import { readAlertRules } from "#teams/alerts/start-alerts.ts";

let app: TestApp;
let smtp: SmtpServer;
let hook: Awaited<ReturnType<typeof startHook>>;
let channels: AlertChannels;
let callbackId: string;
let teamId: string;
let owner: string;

const startMs = Date.parse("2026-03-04T05:06:07Z");
const at = (seconds: number) => new Date(startMs + seconds * 1_000);
const rules: AlertRules = {
  channels: ["webhook", "email"],
  failingAfterMs: 60_000,
  deadLettersEveryMs: 3_600_000,
  emails: ["operator@example.com"],
};

/** A webhook that remembers what it took, and refuses for a while. */
async function startHook() {
  const bodies: string[] = [];
  const state = { status: 200 };
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    request.on("end", () => {
      if (state.status === 200) bodies.push(text);
      response.writeHead(state.status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return {
    url: `http://127.0.0.1:${String(port)}/hook`,
    state,
    bodies,
    events: () => bodies.map((body) => AlertEvent.parse(JSON.parse(body))),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

beforeAll(async () => {
  app = await startApp();
});

afterAll(() => app.close());

beforeEach(async () => {
  [smtp, hook] = [await startSmtpServer(), await startHook()];
  const mail = { host: "127.0.0.1", port: smtp.port, username: null, password: null, from: "sluice@example.com" };
  channels = { webhookUrl: hook.url, slackWebhookUrl: null, smtp: { ...mail, isTls: false } };
  ({ team_id: teamId } = await makeTeam(app.db, { team_alias: "Search" }));
  owner = `owner-${randomUUID()}@example.com`;
  const userId = randomUUID();
  await app.db.user.create({ data: { id: userId, email: owner } });
  await app.db.teamMember.create({ data: { teamId, userId, role: "admin" } });
  const member = `member-${randomUUID()}@example.com`;
  await app.db.teamMember.create({ data: { teamId, userId: randomUUID(), userEmail: member, role: "user" } });
  callbackId = randomUUID();
  const vars = { langfuse_secret_key: "sk-lf-very-secret" };
  await app.db.callback.create({
    data: { id: callbackId, teamId, position: 0, callbackName: "langfuse", callbackVars: vars },
  });
});

afterEach(async () => {
  await app.db.alertMessage.deleteMany({});
  await app.db.destinationAlert.deleteMany({});
  await smtp.close();
  await hook.close();
});

function report(change: Partial<DestinationHealth>): DestinationHealth {
  return { callbackId, failingForMs: null, status: 0, delivered: false, dead: 0, ...change };
}

/** One look of one gateway at its destinations, as `startAlerts` makes it. */
async function look(seconds: number, change: Partial<DestinationHealth>): Promise<void> {
  const [reports, now] = [[report(change)], at(seconds)];
  await noteHealth(app.db, { reports, rules, now });
  const deliveredAt = new Map(change.delivered === true ? [[callbackId, now]] : []);
  await followAlerts(app.db, { deliveredAt, rules, now });
  await sendAlerts(app.db, channels, now);
}

test("a destination that fails is told of once, and once more when it is back, to the webhook, the team's administrators and the operator", async () => {
  await look(0, { failingForMs: 30_000, status: 503 });
  expect(hook.bodies).toEqual([]);
  for (const second of [40, 50, 60]) await look(second, { failingForMs: second * 1_000 + 30_000, status: 503 });
  await look(70, { delivered: true });
  expect(hook.events()).toMatchObject([
    {
      ...{ event: "destination_failing", callback_id: callbackId, callback_name: "langfuse", status: 503 },
      ...{ team_id: teamId, team_alias: "Search", occurred_at: at(40).toISOString() },
    },
    { event: "destination_recovered", status: null },
  ]);
  expect(smtp.mails.map(({ to }) => to.join()).toSorted()).toEqual(
    [owner, owner, "operator@example.com", "operator@example.com"].toSorted(),
  );
  expect(smtp.mails[0]?.text).toContain("Subject: [Sluice] Logs do not arrive: langfuse of Search");
  expect(hook.bodies.join() + smtp.mails.map(({ text }) => text).join()).not.toContain("very-secret");
});

test("refused credentials are told of at once, as a pause", async () => {
  await look(0, { failingForMs: 0, status: 401 });
  await look(10, { failingForMs: 10_000, status: 401 });
  await look(120, { failingForMs: 120_000, status: 503 });
  expect(hook.events().map(({ event, status }) => [event, status])).toEqual([["destination_paused", 401]]);
});

test("two gateways that see the same at the same time tell of it once between them", async () => {
  const now = at(0);
  const reports = [report({ failingForMs: 60_000, status: 500, dead: 2 })];
  await Promise.all([1, 2, 3].map(() => noteHealth(app.db, { reports, rules, now })));
  await Promise.all([1, 2, 3].map(() => sendAlerts(app.db, channels, now)));
  expect(
    hook
      .events()
      .map(({ event, dead_letters: count }) => [event, count])
      .toSorted(),
  ).toEqual([
    ["dead_letters", 2],
    ["destination_failing", 0],
  ]);
});

test("while one gateway still sees it fail, another one's success is no recovery", async () => {
  await look(0, { failingForMs: 60_000, status: 500 });
  await noteHealth(app.db, { reports: [report({ failingForMs: 70_000, status: 500 })], rules, now: at(9) });
  await look(10, { delivered: true });
  expect(hook.events()).toHaveLength(1);
  await look(20, { delivered: true });
  expect(hook.events().map(({ event }) => event)).toEqual(["destination_failing", "destination_recovered"]);
});

test("dead letters are told of at once, and then no more than once an hour, with all that came meanwhile", async () => {
  await look(0, { dead: 3 });
  await look(10, { dead: 4 });
  await look(20, { dead: 5 });
  await look(3_599, {});
  await look(3_600, {});
  expect(hook.events().map(({ event, dead_letters: count }) => [event, count])).toEqual([
    ["dead_letters", 3],
    ["dead_letters", 9],
  ]);
});

test("what is not taken is tried again with the same id, and holds up no other receiver", async () => {
  hook.state.status = 500;
  smtp.setRefusing(true);
  await look(0, { failingForMs: 0, status: 403 });
  expect([hook.bodies, smtp.mails]).toEqual([[], []]);
  const [kept] = await app.db.alertMessage.findMany({ where: { channel: "webhook" }, select: { event: true } });
  smtp.setRefusing(false);
  await sendAlerts(app.db, channels, at(10));
  expect(smtp.mails).toHaveLength(2);
  hook.state.status = 200;
  await sendAlerts(app.db, channels, at(60));
  expect(hook.events()).toEqual([kept?.event]);
  await sendAlerts(app.db, channels, at(5_000));
  expect([hook.bodies.length, smtp.mails.length, await app.db.alertMessage.count()]).toEqual([1, 2, 0]);
});

test("what nobody took in a day is given up, and a callback that was deleted is told of no more", async () => {
  hook.state.status = 500;
  await look(0, { failingForMs: 60_000, status: 503 });
  await sendAlerts(app.db, channels, at(86_401));
  expect(await app.db.alertMessage.count()).toBe(0);
  await app.db.callback.delete({ where: { id: callbackId } });
  await look(86_500, { delivered: true });
  expect(await app.db.destinationAlert.count()).toBe(0);
  expect(await app.db.alertMessage.count()).toBe(0);
});

test("a channel that is named and not set up stops the start, and an unknown one is a warning", () => {
  const { config } = parseConfig('general_settings: { alerting: ["webhook", "email", "pigeon"] }', "test.yaml", {});
  const nothing = { webhookUrl: null, slackWebhookUrl: null, smtp: null };
  expect(() => readAlertRules(config, nothing)).toThrow(/WEBHOOK_URL is missing[^]*SMTP_HOST/);
  const read = readAlertRules(config, channels);
  expect(read.rules).toMatchObject({ channels: ["webhook", "email"], failingAfterMs: 60_000 });
  expect(read.warnings).toEqual([expect.stringContaining("pigeon is not known")]);
  expect(readAlertRules(configState.get(), nothing).rules.channels).toEqual([]);
});
