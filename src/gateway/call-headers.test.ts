import { validateHeaderValue } from "node:http";
import { expect, test } from "vitest";
import { toCallHeaders } from "#gateway/call-headers.ts";
import { findGroup } from "#gateway/choose-deployment.ts";
import { makeModelTable, modelsState } from "#gateway/models.ts";
import { strangerCaller } from "#keys/caller.ts";
import { configState, parseConfig } from "#lib/config.ts";

test("names of dropped parameters are sent as a header can hold them", () => {
  const { config } = parseConfig("model_list: [{ model_name: m, litellm_params: { model: openai/m } }]", "c.yaml", {});
  configState.set(config);
  modelsState.set(makeModelTable(config));
  const [deployment] = findGroup(strangerCaller, "m");
  if (!deployment) throw new Error("There is one deployment.");
  const facts = { callId: "c", deployment, receipt: "none", costUsd: null, startTimeMs: 0, retries: 0, fallbacks: 0 };
  const headers = toCallHeaders(facts, { headers: {}, dropped: ["logit_bias", "модель", "two\r\nlines", "\ud800"] });
  const sent = headers["x-sluice-dropped-params"] ?? "";
  expect(() => {
    validateHeaderValue("x-sluice-dropped-params", sent);
  }).not.toThrow();
  expect(sent.split(", ").map(decodeURIComponent)).toEqual(["logit_bias", "модель", "two\r\nlines", "\ufffd"]);
});
