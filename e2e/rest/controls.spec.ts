import { startFakeCollector } from "../fakes/otlp.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { makeKey, until } from "./admin.ts";
import { ask } from "./ask.ts";

/** Switches of LiteLLM that keep prompts out of a callback, each as its documentation writes them. */
const switches: Record<string, { config: object; env?: Record<string, string> }> = {
  message_logging: { config: { callback_settings: { otel: { message_logging: false } } } },
  "message_logging as text": { config: { callback_settings: { otel: { message_logging: "False" } } } },
  turn_off_message_logging: { config: { callback_settings: { otel: { turn_off_message_logging: true } } } },
  "OpenTelemetry's variable": {
    config: {},
    env: { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "false" },
  },
};

for (const [name, { config, env = {} }] of Object.entries(switches)) {
  test(`${name} keeps prompts and answers from the collector`, async ({ startSluice, fakes }) => {
    const collector = await startFakeCollector();
    const sluice = await startSluice({
      config: { ...fakeModelConfig(fakes), ...config, litellm_settings: { callbacks: ["otel"] } },
      env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    });
    const key = await makeKey(sluice, {});
    await ask(sluice, key, { content: "a secret prompt" });
    await ask(sluice, key, { content: "[[error-500]] a secret failure" });
    await until("both arrived", () => collector.spans.length === 2);
    expect(JSON.stringify(collector.spans)).toContain("redacted-by-litellm");
    expect(JSON.stringify(collector.spans)).not.toContain("secret");
    await collector.close();
  });
}

test("a control that would be ignored stops the start with its place and the fix", async ({ startSluice, fakes }) => {
  const controls = { enable_jwt_auth: true, allowed_ips: ["10.0.0.1"] };
  const config = { ...fakeModelConfig(fakes), general_settings: controls };
  const message = await startSluice({ config }).then(() => "started", String);
  for (const name of Object.keys(controls)) {
    expect(message).toContain(`general_settings.${name}: protects something`);
    expect(message).toContain(`list ${name} in general_settings.ignored_controls`);
  }
  const listed = { ...controls, ignored_controls: Object.keys(controls) };
  await startSluice({ config: { ...config, general_settings: listed } });
});
