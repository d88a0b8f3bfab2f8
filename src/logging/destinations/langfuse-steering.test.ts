import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startFakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import type { FakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { langfuse } from "#logging/destinations/langfuse.ts";
import type { JsonObject, LogRecord } from "#logging/record.ts";
import { makeLangfuseProject, testProject } from "#testing/langfuse-project.ts";
import { makeRecord } from "#testing/make-record.ts";

const traceId = "11111111222243338444555555555555";

let fake: FakeLangfuse;

beforeAll(async () => {
  fake = await startFakeLangfuse({ projects: [testProject], verbatimIds: true });
});

afterEach(() => {
  fake.reset();
});

afterAll(async () => {
  await closeUpstreams();
  await fake.close();
});

/** What the project shows for a record. */
function show(record: LogRecord, vars: Record<string, unknown> = {}) {
  return makeLangfuseProject(fake).show(record, vars);
}

function steered(requesterMetadata: JsonObject, changes: Partial<LogRecord> = {}): LogRecord {
  return makeRecord({ requesterMetadata, ...changes });
}

describe("the client's metadata steers trace and generation", () => {
  test("all keys of a new trace", async () => {
    const span = await show(
      steered(
        {
          trace_id: "trace-id22",
          trace_name: "new-trace-name",
          session_id: "session-1",
          trace_user_id: "user-id2",
          trace_version: "trace-version",
          trace_release: "trace-release",
          trace_metadata: { key: "value" },
          trace_public: "true",
          trace_color: "blue",
          tags: ["only through the record's tags"],
          generation_name: "my generation",
          generation_id: "gen-id22",
          parent_observation_id: "obs-id9",
          version: "generation-version",
          prompt: { name: "greeting", version: 3, prompt: "Say hello" },
          project: "litellm-proxy",
          nested: { deep: [1, { two: true }] },
          empty: null,
          headers: { authorization: "Bearer sk-x" },
        },
        { endUser: "not-this-one" },
      ),
    );
    expect(span).toMatchObject({
      traceId: "trace-id22",
      spanId: "gen-id22",
      parentSpanId: "obs-id9",
      isRoot: false,
      name: "my generation",
      traceName: "new-trace-name",
      sessionId: "session-1",
      userId: "user-id2",
      version: "trace-version",
      release: "trace-release",
      public: true,
      tags: ["tag-1", "User-Agent: curl"],
      promptName: "greeting",
      promptVersion: 3,
      traceMetadata: { key: "value", color: "blue" },
    });
    expect(span.metadata).toMatchObject({ project: "litellm-proxy", nested: { deep: [1, { two: true }] } });
    const exported = Object.keys(span.metadata);
    for (const name of ["trace_id", "tags", "version", "prompt", "generation_id", "headers", "empty", "trace_color"]) {
      expect(exported).not.toContain(name);
    }
  });

  test("texts from headers are parsed, and the generation's version is the trace's where that has none", async () => {
    const span = await show(
      steered({ trace_metadata: '{"key":"value"}', version: "v1", trace_public: "false", trace_tags: '["h1","h2"]' }),
    );
    expect(span).toMatchObject({ version: "v1", traceMetadata: { key: "value" }, public: false });
    expect(span.tags).toEqual(["tag-1", "User-Agent: curl", "h1", "h2"]);
  });

  test("a UUID as trace id is the same trace as its 32 digits", async () => {
    const span = await show(steered({ trace_id: "ABCDEF01-2345-4789-8ABC-DEF012345678" }));
    expect(span.traceId).toBe("abcdef01234547898abcdef012345678");
  });

  test("an existing trace keeps its name, user, session, tags and root", async () => {
    const span = await show(
      steered({
        existing_trace_id: "trace-id22",
        trace_id: "ignored",
        trace_name: "ignored",
        session_id: "ignored",
        trace_metadata: { a: 1 },
        trace_release: "ignored",
        trace_color: "ignored",
        version: "v2",
      }),
    );
    expect(span).toMatchObject({ traceId: "trace-id22", isRoot: false, version: "v2", release: null, tags: [] });
    expect(span).toMatchObject({ traceName: null, userId: null, sessionId: null, traceMetadata: {} });
    expect(Object.keys(span.attributes).filter((name) => name.startsWith("langfuse.trace."))).toEqual([]);
    expect(Object.keys(span.attributes)).not.toContain("langfuse.internal.as_root");
  });

  test.each([
    ["list", ["input", "output", "trace_metadata", "trace_user_id", "trace_version", "trace_release"]],
    ["text", "input, output,trace_metadata,trace_user_id,trace_version,trace_release"],
  ])("update_trace_keys as a %s overwrites just these of an existing trace", async (_form, update_trace_keys) => {
    const span = await show(
      steered({
        existing_trace_id: traceId,
        update_trace_keys,
        trace_metadata: { key: "updated" },
        trace_user_id: "user-3",
        trace_version: "tv",
        trace_release: "tr",
        trace_name: "not listed",
        version: "gv",
      }),
    );
    expect(span).toMatchObject({ traceId, traceName: null, userId: "user-3", version: "tv", release: "tr", tags: [] });
    expect(span.traceMetadata).toEqual({ key: "updated" });
    expect(span.attributes["langfuse.trace.input"]).toBe(span.attributes["langfuse.observation.input"]);
    expect(span.attributes["langfuse.trace.output"]).toBe('{"role":"assistant","content":"Hi, how can I help?"}');
  });

  test("masks hide input and output in generation and trace alike", async () => {
    const span = await show(
      steered({
        existing_trace_id: traceId,
        update_trace_keys: ["input", "output"],
        mask_input: true,
        mask_output: "true",
      }),
    );
    for (const part of [
      "langfuse.observation.input",
      "langfuse.observation.output",
      "langfuse.trace.input",
      "langfuse.trace.output",
    ]) {
      expect(span.attributes[part]).toBe("redacted-by-litellm");
    }
    expect(JSON.stringify(span)).not.toContain("Hello!");
    expect(JSON.stringify(span)).not.toContain("how can I help");
    expect(span.usage).toMatchObject({ total: 30 });
  });

  test("a mask covers the text of a failure, and one that says false covers nothing", async () => {
    const error = { code: "400", class: "BadRequestError", message: "bad prompt: Hello!" };
    const failed = await show(steered({ mask_input: true }, { status: "failure", response: null, error }));
    expect(JSON.stringify(failed)).not.toContain("Hello!");
    expect(failed.statusMessage).toBe("redacted-by-litellm");
    fake.reset();
    const open = await show(steered({ mask_input: "false", mask_output: false }));
    expect(open.input).toEqual({ messages: [{ role: "user", content: "Hello!" }] });
  });

  test("debug_langfuse shows the metadata as the client sent it", async () => {
    const metadata = { debug_langfuse: true, trace_name: "t", custom: [1] };
    expect((await show(steered(metadata))).metadata["metadata_passed_to_litellm"]).toEqual(metadata);
  });

  test("steering of wrong types is turned into text or ignored and never loses the log", async () => {
    const span = await show(
      steered(
        {
          trace_id: { a: 1 },
          existing_trace_id: [],
          trace_name: 17,
          session_id: true,
          trace_user_id: ["x"],
          trace_metadata: "no json",
          trace_public: 3,
          generation_id: null,
          generation_name: "",
          parent_observation_id: {},
          update_trace_keys: 4,
          version: 1.5,
          prompt: { name: "p", version: "many" },
          mask_input: null,
          mask_output: 0,
          debug_langfuse: [],
        },
        { requestTags: ["a".repeat(300), "", "b"] },
      ),
    );
    expect(span).toMatchObject({ traceId, isRoot: true, traceName: "17", sessionId: "true", userId: "end-user-1" });
    expect(span).toMatchObject({ name: "litellm:my-key", version: "1.5", promptName: null, promptVersion: null });
    expect(span.traceMetadata).toEqual({ value: "no json" });
    expect(span.tags).toEqual(["a".repeat(200), "b"]);
  });

  test("a prompt without version takes the callback's, and an environment is the callback's", async () => {
    const vars = { langfuse_prompt_version: "7", langfuse_environment: "production" };
    const span = await show(steered({ prompt: { name: "greeting" } }), vars);
    expect(span).toMatchObject({ promptName: "greeting", promptVersion: 7, environment: "production" });
  });

  test("stored variables that Langfuse would refuse are left out and never lose the log", async () => {
    const vars = { langfuse_environment: "Not Valid", langfuse_prompt_version: "x" };
    expect((await show(makeRecord(), vars)).environment).toBe("default");
    expect(langfuse.vars.safeParse(vars).success).toBe(false);
  });
});
