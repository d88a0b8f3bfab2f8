import { describe, expect, test } from "vitest";
import { parseConfig } from "#lib/config.ts";
import type { Config } from "#lib/config.ts";
import { planLog, type RequestControls } from "#logging/log-plan.ts";
import { choosePolicy, decideRedaction, type LoggingStatement, type PolicySubject } from "#logging/policy.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";

const T: LoggingStatement = own("team", "langfuse");
const K: LoggingStatement = own("key", "langfuse");
const off: LoggingStatement = { state: "disabled", callbacks: [], redaction: null };
const unset: LoggingStatement = { state: "unset", callbacks: [], redaction: null };
const none: RequestControls = { noLog: false, disabledCallbacks: [], redact: false, liftRedaction: false };

function own(callbackId: string, callbackName: string, redaction: RedactionLevel | null = null): LoggingStatement {
  return {
    state: "own",
    callbacks: [{ callbackId, callbackName, firesOn: "success_and_failure", redaction }],
    redaction: null,
  };
}

function config(litellm = "", general = ""): Config {
  const text = `litellm_settings: {${litellm}}\ngeneral_settings: {${general}}\n`;
  return parseConfig(text, "config.yaml", {}).config;
}

const D = "default_team_settings: [{team_id: T1, success_callback: [langfuse]}]";
const G = "success_callback: [langfuse]";

function subject(
  key: LoggingStatement | null,
  team: LoggingStatement | null,
  teamId: string | null = "T1",
): PolicySubject {
  return { key, team, teamId };
}

function plan(whose: PolicySubject, settings: Config, controls: Partial<RequestControls> = {}) {
  return planLog(
    choosePolicy(whose, settings),
    { controls: { ...none, ...controls }, isTeamDisabled: false },
    settings,
  );
}

function ids(whose: PolicySubject, settings: Config, controls: Partial<RequestControls> = {}): string[] {
  return plan(whose, settings, controls).targets.map((target) => target.callbackId);
}

describe("exactly one level delivers", () => {
  const all = config(`${D}, ${G}`);
  const globalOnly = config(G);

  test.each<[string, PolicySubject, Config, string[]]>([
    ["key over all", subject(K, T), all, ["key"]],
    ["an opted-out key sends nothing", subject(off, T), all, []],
    ["team where the key is silent", subject(unset, T), all, ["team"]],
    ["a disabled team sends nothing", subject(unset, off), all, []],
    ["a disabled team silences its keys", subject(K, off), all, []],
    ["default_team_settings where both are silent", subject(unset, unset), all, ["config:team:T1:langfuse"]],
    ["default_team_settings for a team without a row", subject(unset, null), all, ["config:team:T1:langfuse"]],
    ["global for everybody else", subject(unset, unset), globalOnly, ["config:global:langfuse"]],
    ["global for another team", subject(unset, unset, "T2"), all, ["config:global:langfuse"]],
    ["global for the master key", subject(null, null, null), all, ["config:global:langfuse"]],
    ["a key's kind replaces the global kind", subject(own("key", "local_files"), null), globalOnly, ["key"]],
    ["a team's kind replaces the global kind", subject(unset, own("team", "local_files")), globalOnly, ["team"]],
    ["own callbacks that are all unusable send nothing", subject({ ...K, callbacks: [] }, T), all, []],
    ["nothing anywhere", subject(unset, unset), config(), []],
  ])("%s", (...[, whose, settings, expected]) => {
    expect(ids(whose, settings)).toEqual(expected);
  });

  test.each([
    subject(K, T),
    subject(off, T),
    subject(unset, T),
    subject(unset, off),
    subject(unset, unset),
    subject(null, null),
  ])("no-log silences every level (%#)", (whose) => {
    expect(ids(whose, all, { noLog: true })).toEqual([]);
  });

  test("several entries of a level each deliver", () => {
    const two = { ...K, callbacks: [...K.callbacks, ...own("key-2", "langfuse").callbacks] };
    expect(ids(subject(two, T), all)).toEqual(["key", "key-2"]);
  });

  test("a team that was disabled since the key was read sends nothing", () => {
    const policy = choosePolicy(subject(K, T), all);
    expect(planLog(policy, { controls: none, isTeamDisabled: true }, all)).toEqual({
      targets: [],
      reason: "disabled",
      mustLog: false,
    });
  });
});

test("config.yaml's callbacks fire on what they are listed for, and unknown ones are left out", () => {
  const settings = config("success_callback: [langfuse, prometheus], failure_callback: [local_files], callbacks: []");
  expect(choosePolicy(subject(null, null, null), settings).targets).toMatchObject([
    { callbackName: "langfuse", firesOn: "success" },
    { callbackName: "local_files", firesOn: "failure" },
  ]);
  const both = choosePolicy(subject(null, null, null), config("callbacks: [langfuse]")).targets;
  expect(both).toMatchObject([{ callbackName: "langfuse", firesOn: "success_and_failure" }]);
});

describe("redaction", () => {
  const dOff = "default_team_settings: [{team_id: T1, success_callback: [langfuse], turn_off_message_logging: false}]";
  const dOn = "default_team_settings: [{team_id: T1, success_callback: [langfuse], turn_off_message_logging: 'True'}]";
  const globalOn = "turn_off_message_logging: true";
  const k = (entry: RedactionLevel | null, key: RedactionLevel | null): LoggingStatement => ({
    ...own("key", "langfuse", entry),
    redaction: key,
  });
  const t = (redaction: RedactionLevel | null): LoggingStatement => ({ ...unset, redaction });

  test.each<[string, PolicySubject, Config, RedactionLevel]>([
    ["nothing says anything", subject(k(null, null), t(null)), config(), "off"],
    ["the entry is nearest", subject(k("off", "content"), t("metadata_only")), config(globalOn), "off"],
    ["then the key", subject(k(null, "metadata_only"), t("off")), config(`${globalOn}, ${dOff}`), "metadata_only"],
    ["then the team", subject(k(null, null), t("off")), config(`${globalOn}, ${dOn}`), "off"],
    ["then default_team_settings", subject(k(null, null), t(null)), config(`${globalOn}, ${dOff}`), "off"],
    ["then global", subject(k(null, null), t(null)), config(globalOn), "content"],
    ["the team, over default_team_settings' own entry", subject(unset, t("content")), config(dOff), "content"],
    ["default_team_settings' own entry", subject(unset, t(null)), config(`${globalOn}, ${dOff}`), "off"],
    ["default_team_settings of another team say nothing", subject(unset, t(null), "T2"), config(`${dOn}, ${G}`), "off"],
    [
      "an enforced global level is a floor",
      subject(k("off", null), t(null)),
      config(globalOn, "enforce_redaction: true"),
      "content",
    ],
    [
      "the floor loosens nobody",
      subject(k("metadata_only", null), t(null)),
      config(globalOn, "enforce_redaction: true"),
      "metadata_only",
    ],
  ])("%s", (...[, whose, settings, expected]) => {
    expect(choosePolicy(whose, settings).targets.map((target) => target.redaction)).toEqual([expected]);
  });

  test.each<[RedactionLevel, Partial<RequestControls>, RedactionLevel, RedactionLevel | undefined]>([
    ["off", { redact: true }, "content", undefined],
    ["content", { redact: true }, "content", undefined],
    ["metadata_only", { redact: true }, "metadata_only", undefined],
    ["content", { liftRedaction: true }, "off", "content"],
    ["metadata_only", { liftRedaction: true }, "off", "metadata_only"],
    ["off", { liftRedaction: true }, "off", undefined],
    ["content", { liftRedaction: true, redact: true }, "content", undefined],
  ])("%s and a request of %j is %s", (...[level, controls, expected, liftedFrom]) => {
    const [target] = plan(subject(k(level, null), null), config(), controls).targets;
    expect(target).toMatchObject({ redaction: expected });
    expect(target?.liftedFrom).toBe(liftedFrom);
  });

  test("a request lifts nothing below the enforced level", () => {
    const settings = config(globalOn, "enforce_redaction: true");
    expect(plan(subject(k("content", null), null), settings, { liftRedaction: true }).targets).toMatchObject([
      { redaction: "content" },
    ]);
    const [stricter] = plan(subject(k("metadata_only", null), null), settings, { liftRedaction: true }).targets;
    expect(stricter).toMatchObject({ redaction: "content", liftedFrom: "metadata_only" });
  });
});

describe("what a request asks for", () => {
  const settings = config(G);

  test("says why nothing is logged", () => {
    expect(plan(subject(K, T), settings).reason).toBeNull();
    expect(plan(subject(off, T), settings).reason).toBe("disabled");
    expect(plan(subject(K, off), settings).reason).toBe("disabled");
    expect(plan(subject(K, T), settings, { noLog: true }).reason).toBe("no-log");
    expect(plan(subject(K, T), settings, { disabledCallbacks: ["langfuse"] }).reason).toBe("no-log");
    expect(plan(subject(null, null), config()).reason).toBe("none");
  });

  test("switches off the named callbacks alone", () => {
    const two = { ...K, callbacks: [...K.callbacks, ...own("files", "local_files").callbacks] };
    expect(ids(subject(two, null), settings, { disabledCallbacks: ["langfuse", "other"] })).toEqual(["files"]);
    const fixed = config(`${G}, allow_dynamic_callback_disabling: false`);
    expect(ids(subject(two, null), fixed, { disabledCallbacks: ["langfuse"] })).toEqual(["key", "files"]);
  });

  test("an entry switches off others of its level by any of their names, and none of another level", () => {
    const [langfuse] = K.callbacks;
    if (!langfuse) throw new Error("The key has a callback.");
    const hook = { ...langfuse, callbackId: "hook", callbackName: "generic_api" };
    const entries = (disabledCallbacks: string[]) => ({ ...K, callbacks: [{ ...langfuse, disabledCallbacks }, hook] });
    expect(ids(subject(entries(["webhook"]), T), settings)).toEqual(["key"]);
    expect(ids(subject(entries(["generic_api", "datadog"]), T), settings)).toEqual(["key"]);
    expect(ids(subject(entries(["datadog"]), T), settings)).toEqual(["key", "hook"]);
    expect(ids(subject(K, { ...T, callbacks: entries(["langfuse"]).callbacks }), settings)).toEqual(["key"]);
    const { targets, mustLog } = plan(subject(entries(["webhook"]), T), config(G, "must_log: true"));
    expect([targets.map((target) => target.callbackId), mustLog]).toEqual([["key", "hook"], true]);
  });

  test("no-log has no effect where config.yaml says so", () => {
    expect(ids(subject(K, null), config("global_disable_no_log_param: true"), { noLog: true })).toEqual(["key"]);
  });
});

describe("must_log", () => {
  const settings = config(`${D}, ${G}`, "must_log: true");

  test.each<[string, PolicySubject, Partial<RequestControls>, string[], boolean]>([
    ["nobody opts out", subject(K, T), {}, ["key"], false],
    ["no-log", subject(K, T), { noLog: true }, ["key"], true],
    ["a disabled callback", subject(K, T), { disabledCallbacks: ["langfuse"] }, ["key"], true],
    ["a disabled callback that is none", subject(K, T), { disabledCallbacks: ["datadog"] }, ["key"], false],
    ["an opted-out key of a team with callbacks", subject(off, T), {}, ["team"], true],
    ["an opted-out key of a silent team", subject(off, unset), {}, ["config:team:T1:langfuse"], true],
  ])("%s: the log goes out, and the receipt says what was overruled", (...[, whose, controls, expected, mustLog]) => {
    const made = plan(whose, settings, controls);
    expect(made.targets.map((target) => target.callbackId)).toEqual(expected);
    expect(made.mustLog).toBe(mustLog);
  });

  test("a disabled team stays silent", () => {
    expect(plan(subject(off, off), settings)).toEqual({ targets: [], reason: "disabled", mustLog: false });
  });
});

describe("must_log and rules", () => {
  const rules = { samplingRate: 0, keepsFailures: false, models: [], keys: [], statuses: [] };
  const sampled: LoggingStatement = { ...K, callbacks: K.callbacks.map((callback) => ({ ...callback, rules })) };

  test("a key's sampling holds", () => {
    expect(plan(subject(sampled, T), config()).targets).toMatchObject([{ callbackId: "key", rules }]);
  });

  test("with must_log it has no effect, and the answer says so", () => {
    const { targets, mustLog } = plan(subject(sampled, T), config("", "must_log: true"));
    expect(targets[0]).not.toHaveProperty("rules");
    expect(mustLog).toBe(true);
  });
});

test("default_team_settings take the general variables as well", () => {
  const vars = "callback_vars: {redaction: metadata_only, redact_classes: tags, sampling_rate: 0.5}";
  const settings = config(`default_team_settings: [{team_id: T1, success_callback: [langfuse], ${vars}}]`);
  expect(plan(subject(null, null), settings).targets).toMatchObject([
    { redaction: "metadata_only", redactClasses: ["tags"], rules: { samplingRate: 0.5 } },
  ]);
});

describe("who decided the redaction", () => {
  const files = config("default_team_settings: [{team_id: T1, turn_off_message_logging: true}]");
  const said = (redaction: RedactionLevel | null): LoggingStatement => ({ ...unset, redaction });

  test.each<[string, RedactionLevel | null, PolicySubject, Config]>([
    ["callback", "off", subject(said("content"), said("content")), files],
    ["key", null, subject(said("content"), said("off")), files],
    ["team", null, subject(said(null), said("metadata_only")), files],
    ["default_team_settings", null, subject(unset, unset), files],
    ["global", null, subject(unset, unset), config("turn_off_message_logging: true")],
    ["global", null, subject(null, null), config()],
    ["enforce_redaction", "off", subject(K, T), config("turn_off_message_logging: true", "enforce_redaction: true")],
    ["callback", "metadata_only", subject(K, T), config("turn_off_message_logging: true", "enforce_redaction: true")],
  ])("%s", (...[decidedBy, redaction, whose, settings]) => {
    expect(decideRedaction({ redaction }, whose, settings).decidedBy).toBe(decidedBy);
  });
});

describe("what config.yaml says of a kind of callback", () => {
  const settings = (text: string): Config => parseConfig(text, "config.yaml", {}).config;
  const said = (redaction: RedactionLevel | null): LoggingStatement => ({ ...unset, redaction });
  const levels = (whose: PolicySubject, text: string): Record<string, RedactionLevel> =>
    Object.fromEntries(
      choosePolicy(whose, settings(text)).targets.map(({ callbackName, redaction }) => [callbackName, redaction]),
    );
  const both = "litellm_settings: { callbacks: [otel, datadog] }\n";
  const off = `${both}callback_settings: { otel: { message_logging: False } }\n`;

  test.each([
    ["message_logging", off, { otel: "content", datadog: "off" }],
    [
      "turn_off_message_logging",
      `${both}callback_settings: { otel: { turn_off_message_logging: yes } }\n`,
      { otel: "content", datadog: "off" },
    ],
    [
      "datadog_params",
      "litellm_settings: { callbacks: [otel, datadog], datadog_params: { turn_off_message_logging: true } }\n",
      { otel: "off", datadog: "content" },
    ],
    [
      "what is on",
      `${both}callback_settings: { otel: { message_logging: True, turn_off_message_logging: false } }\n`,
      { otel: "off", datadog: "off" },
    ],
  ])("%s holds for that kind alone", (_name, text, expected) => {
    expect(levels(subject(null, null), text)).toEqual(expected);
  });

  test("nobody loosens it at the operator's callbacks, and it loosens nothing", () => {
    expect(levels(subject(said("off"), null), off).otel).toBe("content");
    expect(levels(subject(unset, said("metadata_only")), off).otel).toBe("metadata_only");
    const teams = "litellm_settings: { default_team_settings: [{ team_id: T1, callbacks: [otel] }] }\n";
    expect(levels(subject(unset, unset), off.replace(both, teams)).otel).toBe("content");
  });

  test("a team's own callback of that kind follows it unless the team says otherwise", () => {
    const own = (redaction: RedactionLevel | null): LoggingStatement => ({
      ...unset,
      state: "own",
      callbacks: [{ callbackId: "c1", callbackName: "otel", firesOn: "success_and_failure", redaction: null }],
      redaction,
    });
    expect(levels(subject(unset, own(null)), off).otel).toBe("content");
    expect(levels(subject(unset, own("off")), off).otel).toBe("off");
  });
});
