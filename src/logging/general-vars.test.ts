import { expect, test } from "vitest";
import { generalVars, type CallbackVar } from "#logging/callback.ts";
import { contentClasses, ContentClass } from "#logging/content-class.ts";
import { findGeneralVarFault, generalVarTexts, readGeneralVars } from "#logging/general-vars.ts";

test("every general variable and every class of content has its line", () => {
  expect(Object.keys(generalVarTexts)).toEqual([...generalVars]);
  expect(Object.keys(contentClasses)).toEqual(ContentClass.options);
});

test.each<[string, CallbackVar]>([
  ["redaction", "metadata_only"],
  ["redaction", "Content"],
  ["redact_classes", "tags, tool_results"],
  ["redact_classes", ["tags"]],
  ["redact_classes", "['tool_results', 'tags']"],
  ["redact_classes", '["tags"]'],
  ["sampling_rate", 0.5],
  ["sampling_rate", "0.5"],
  ["sampling_keep_failures", "True"],
  ["filter_models", "gpt-4*, claude"],
  ["filter_status", ["failure"]],
  ["turn_off_message_logging", "True"],
  ["turn_off_message_logging", "yes"],
  ["turn_off_message_logging", 1],
])("%s may be %s", (name, value) => {
  expect(findGeneralVarFault(name, value)).toBeNull();
});

test.each<[string, CallbackVar]>([
  ["redaction", "some"],
  ["redaction", true],
  ["redact_classes", "tags, everything"],
  ["sampling_rate", 1.5],
  ["sampling_rate", "-1"],
  ["sampling_rate", "half"],
  ["sampling_keep_failures", "maybe"],
  ["filter_models", 4],
  ["filter_status", "failed"],
  ["turn_off_message_logging", "maybe"],
  ["turn_off_message_logging", 7],
])("%s may not be %s", (name, value) => {
  expect(findGeneralVarFault(name, value)).not.toBeNull();
});

test.each([true, "True", "yes", "on", 1, "1"])("turn_off_message_logging: %j takes content out", (value) => {
  expect(readGeneralVars({ turn_off_message_logging: value }, "a").redaction).toBe("content");
});

test.each([false, "False", "no", 0])("message_logging: %j takes content out", (value) => {
  expect(readGeneralVars({ message_logging: value }, "a").redaction).toBe("content");
});

test("an entry that says nothing has no rules and no classes", () => {
  expect(readGeneralVars({ langfuse_host: "x", sampling_rate: "", redact_classes: [] }, "a")).toEqual({
    redaction: null,
  });
});

test("what an entry says is read from lists and from text; redaction wins over LiteLLM's switch", () => {
  const vars = {
    redaction: "metadata_only",
    turn_off_message_logging: false,
    redact_classes: "tool_results, tags,tags",
    sampling_rate: "0.25",
    sampling_keep_failures: true,
    filter_models: ["gpt-4*"],
    filter_keys: "['ci', 'prod']",
    filter_status: "success",
    litellm_disabled_callbacks: "['Datadog', 'gcs_bucket']",
  };
  expect(readGeneralVars(vars, "a")).toEqual({
    redaction: "metadata_only",
    redactClasses: ["tags", "tool_results"],
    rules: {
      samplingRate: 0.25,
      keepsFailures: true,
      models: ["gpt-4*"],
      keys: ["ci", "prod"],
      statuses: ["success"],
    },
    disabledCallbacks: ["datadog", "gcs_bucket"],
  });
});

test("stored nonsense loses no log and no class that is understood", () => {
  const vars = {
    redaction: "some",
    turn_off_message_logging: "True",
    redact_classes: "nonsense, tags",
    sampling_rate: "half",
    filter_models: 4,
    filter_status: "failed",
  };
  expect(readGeneralVars(vars, "a")).toEqual({ redaction: "content", redactClasses: ["tags"] });
});
