import OpenAI from "openai";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { startSinkServer } from "../fakes/sink-server.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startSmtpServer } from "#testing/smtp-server.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

test("@long a destination that fails is told of by webhook and e-mail without a word of the call, and so is that it is back", async ({
  startSluice,
  fakes,
}) => {
  const project = makeProject("alerts");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const hook = await startSinkServer(() => ({ status: 200, body: {} }), 0);
  const smtp = await startSmtpServer();
  const sluice = await startSluice({
    config: {
      ...fakeModelConfig(fakes),
      general_settings: {
        delivery: { retry_max_seconds: 1 },
        alerting: ["webhook", "email"],
        alerting_args: { destination_failing_seconds: 1 },
        alert_emails: ["operator@example.com"],
      },
    },
    env: {
      WEBHOOK_URL: `${hook.url}/alerts`,
      SMTP_HOST: "127.0.0.1",
      SMTP_PORT: String(smtp.port),
      SMTP_SENDER_EMAIL: "sluice@example.com",
      SMTP_TLS: "false",
    },
  });
  await mustAdmin(sluice, "/team/new", { team_id: "alerts", team_alias: "Alerted" });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) };
  await mustAdmin(sluice, "/team/alerts/callback", callback);
  const apiKey = await makeKey(sluice, { team_id: "alerts" });
  const client = new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
  langfuse.setBehaviour({ status: 503, body: { message: "words of the destination" } });
  const messages = [{ role: "user" as const, content: "words of the call" }];
  await client.chat.completions.create({ model: "fake-model", messages });
  await until("it is told of", () => hook.requests.length === 1 && smtp.mails.length === 1, 30_000);
  langfuse.setBehaviour({});
  await until("it is told that it is back", () => hook.requests.length === 2 && smtp.mails.length === 2, 40_000);
  const told = [...hook.requests.map(({ text }) => text), ...smtp.mails.map(({ text }) => text)].join("\n");
  expect(told).toMatch(/destination_failing[^]*destination_recovered/);
  expect(told).toContain("Alerted");
  for (const secret of ["words of", project.secretKey, apiKey]) expect(told).not.toContain(secret);
  await Promise.all([langfuse.close(), hook.close(), smtp.close()]);
});
