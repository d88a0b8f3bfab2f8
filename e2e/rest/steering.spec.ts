import { z } from "zod";
import { expect, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { ask } from "./ask.ts";

const Answered = z.object({ usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }) });

test("a client's metadata and headers steer its trace, and what it saw of usage and cost is what the trace says", async ({
  sluice,
}) => {
  const project = makeProject("steered");
  const langfuse = await startFakeLangfuse({ projects: [project], verbatimIds: true });
  const teamId = "steered";
  await mustAdmin(sluice, "/team/new", { team_id: teamId });
  await mustAdmin(sluice, `/team/${teamId}/callback`, {
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, project),
  });
  const key = await makeKey(sluice, { team_id: teamId });
  const sent = {
    first: {
      headers: {
        langfuse_trace_id: "trace-of-the-header",
        langfuse_trace_user_id: "user of the header",
        langfuse_trace_metadata: '{"key":"value"}',
      },
      metadata: { trace_id: "trace-of-the-body", trace_name: "the first", trace_user_id: "user of the body" },
    },
    input: { metadata: { mask_input: true } },
    output: { metadata: { mask_output: true } },
    next: {
      metadata: {
        existing_trace_id: "trace-of-the-header",
        trace_name: "not taken",
        update_trace_keys: ["output"],
        generation_name: "the next",
      },
    },
  };
  const answers = new Map<string, Awaited<ReturnType<typeof ask>>>();
  for (const [name, steering] of Object.entries(sent)) {
    answers.set(name, await ask(sluice, key, { content: `canary ${name}`, ...steering }));
  }
  await until("all arrived", () => langfuse.project(project.id).spans.length === 4);
  const { spans } = langfuse.project(project.id);
  const spanOf = (name: string) => {
    const callId = answers.get(name)?.headers.get("x-litellm-call-id");
    return spans.find(({ metadata }) => metadata["litellm_call_id"] === callId);
  };

  expect(spanOf("first")).toMatchObject({
    traceId: "trace-of-the-header",
    traceName: "the first",
    userId: "user of the header",
    traceMetadata: { key: "value" },
  });
  expect(JSON.stringify([spanOf("input")?.input, spanOf("output")?.output])).not.toContain("canary");
  expect(JSON.stringify(spanOf("input")?.output)).toContain("canary input");
  expect(JSON.stringify(spanOf("output")?.input)).toContain("canary output");
  expect(spanOf("next")).toMatchObject({ traceId: "trace-of-the-header", name: "the next" });
  expect(spanOf("next")?.traceName ?? null).toBeNull();

  for (const [name, answer] of answers) {
    const { usage } = Answered.parse(answer.body);
    expect(spanOf(name)?.usage, name).toMatchObject({ input: usage.prompt_tokens, output: usage.completion_tokens });
    const costUsd = Number(answer.headers.get("x-litellm-response-cost"));
    expect(spanOf(name)?.cost?.total ?? 0, name).toBe(costUsd);
  }
  await langfuse.close();
});
