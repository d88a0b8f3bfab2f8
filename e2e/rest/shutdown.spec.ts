import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "../fixtures.ts";
import { until } from "./admin.ts";
import {
  answerIn,
  arrivals,
  chat,
  contentOf,
  costOfAll,
  makeLoggedTeam,
  onceEach,
  openCall,
  openStreams,
  pricedConfig,
  recordOf,
  spendOf,
  type Asked,
} from "./open-calls.ts";

/** What a stop owes to the calls that it meets: each is logged once, and its spend is noted, before the process ends. */

/** Many calls and two starts take their time on a busy machine. */
test.beforeEach(() => {
  test.setTimeout(180_000);
});

const shortStop = { SLUICE_SHUTDOWN_SECONDS: "3" };

test("50 streams open at the limit end with an error frame and are logged once", async ({ startSluice, fakes }) => {
  const sluice = await startSluice({ config: pricedConfig(fakes), env: shortStop });
  const team = await makeLoggedTeam(sluice);
  const { sink } = team;
  const streams = await openStreams(team, 50);
  expect(await sluice.stop()).toEqual({ code: 0, signal: null });
  for (const { id, answer } of streams) {
    const { text, receipt, isBroken } = await answer;
    expect({ receipt, isBroken }, id).toEqual({
      receipt: expect.stringMatching(/^webhook=pending; id=/),
      isBroken: false,
    });
    expect(text, id).toMatch(/data: \{"error":\{"message":"The gateway is stopping.*"code":"503"\}\}\n\n$/);
  }
  await sluice.restart();
  await until("all arrived", () => sink.records.length >= streams.length);
  expect(arrivals(sink)).toEqual(onceEach(streams));
  for (const { id, soFar } of streams) {
    expect(recordOf(sink, id), id).toMatchObject({ status: "failure", error_information: { error_code: "503" } });
    expect(answerIn(sink, id), id).toContain(contentOf(soFar()));
  }
  await until("the spend arrived", async () => Math.abs((await spendOf(team)) - costOfAll(sink)) < 1e-9);
  await sink.close();
});

const form = new FormData();
form.set("model", "fake-model");
form.set("prompt", "[[hang]] heard");
form.set("file", new File(["sound"], "sound.wav"));

const waiting: Record<string, Asked> = {
  chat: { body: chat("[[hang]]") },
  "chat-stream": { body: chat("[[hang]]", { stream: true }) },
  text: { path: "/v1/completions", body: { model: "fake-model", prompt: "[[hang]]" } },
  responses: { path: "/v1/responses", body: { model: "fake-model", input: "[[hang]]" } },
  "responses-stream": { path: "/v1/responses", body: { model: "fake-model", input: "[[hang]]", stream: true } },
  embedding: { path: "/v1/embeddings", body: { model: "fake-model", input: "[[hang]]" } },
  image: { path: "/v1/images/generations", body: { model: "fake-model", prompt: "[[hang]]" } },
  speech: { path: "/v1/audio/speech", body: { model: "fake-model", input: "[[hang]]", voice: "alloy" } },
  moderation: { path: "/v1/moderations", body: { model: "fake-model", input: "[[hang]]" } },
  rerank: { path: "/v1/rerank", body: { model: "fake-model", query: "[[hang]]", documents: ["a"] } },
  transcription: { path: "/v1/audio/transcriptions", form },
  messages: {
    path: "/v1/messages",
    body: { model: "fake-model", max_tokens: 9, messages: [{ role: "user", content: "[[hang]]" }] },
  },
};

test("calls of every wire that wait for their upstream get its 503 and are logged once", async ({
  startSluice,
  fakes,
}) => {
  const sluice = await startSluice({ config: pricedConfig(fakes), env: shortStop });
  const team = await makeLoggedTeam(sluice);
  const { sink } = team;
  const before = fakes.openai.calls.length;
  const calls = Object.entries(waiting).map(([id, asked]) => openCall(team, id, asked));
  await until("all wait", () => fakes.openai.calls.length >= before + calls.length);
  expect(await sluice.stop()).toEqual({ code: 0, signal: null });
  for (const { id, answer } of calls) {
    const { status, text, receipt } = await answer;
    expect([id, status]).toEqual([id, 503]);
    expect(receipt, id).toMatch(/^webhook=queued; id=/);
    const error = { message: expect.stringContaining("The gateway is stopping") };
    expect(JSON.parse(text), id).toMatchObject(id === "messages" ? { type: "error", error } : { error });
  }
  await sluice.restart();
  await until("all arrived", () => sink.records.length >= calls.length);
  expect(arrivals(sink)).toEqual(onceEach(calls));
  for (const { record } of sink.records) {
    expect(record).toMatchObject({
      status: "failure",
      model_group: "fake-model",
      error_information: { error_code: "503" },
    });
  }
  await sink.close();
});

test("streams of every wire that are open at the limit are logged once with what came", async ({
  startSluice,
  fakes,
}) => {
  const sluice = await startSluice({ config: pricedConfig(fakes), env: shortStop });
  const team = await makeLoggedTeam(sluice);
  const { sink } = team;
  const words = `[[hang-mid-stream]] alpha ${"beta ".repeat(20)}`;
  const streamed: Record<string, Asked> = {
    text: { path: "/v1/completions", body: { model: "fake-model", prompt: words, stream: true } },
    responses: { path: "/v1/responses", body: { model: "fake-model", input: words, stream: true } },
    messages: {
      path: "/v1/messages",
      body: { model: "fake-model", max_tokens: 99, stream: true, messages: [{ role: "user", content: words }] },
    },
  };
  const calls = Object.entries(streamed).map(([id, asked]) => openCall(team, id, asked));
  await until("all have begun", () => calls.every((call) => call.soFar().includes("alpha")));
  expect(await sluice.stop()).toEqual({ code: 0, signal: null });
  for (const { id, answer } of calls) {
    const { text, isBroken } = await answer;
    expect([id, isBroken]).toEqual([id, false]);
    expect(text.split("\n\n").at(-2), id).toContain("The gateway is stopping");
  }
  await sluice.restart();
  await until("all arrived", () => sink.records.length >= calls.length);
  expect(arrivals(sink)).toEqual(onceEach(calls));
  for (const { id } of calls) expect(answerIn(sink, id), id).toContain("alpha beta");
  await sink.close();
});

test("calls that wait to be tried again, and uploads that are not whole, get a 503 and are logged once", async ({
  startSluice,
  fakes,
}) => {
  const config = pricedConfig(fakes, { router_settings: { num_retries: 20 } });
  const sluice = await startSluice({ config, env: shortStop });
  const team = await makeLoggedTeam(sluice);
  const { sink } = team;
  const before = fakes.openai.calls.length;
  const retried = openCall(team, "retried", { body: chat("[[error-500]]") });
  await until("it is tried again", () => fakes.openai.calls.length >= before + 2);
  const upload = connect(Number(new URL(sluice.url).port), "127.0.0.1");
  const headers = [
    ...["host: sluice", `authorization: Bearer ${team.key}`, "x-litellm-call-id: upload"],
    ...["content-type: application/json", "content-length: 1000"],
  ];
  upload.write(`POST /v1/chat/completions HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n{"model":`);
  let answered = "";
  upload.setEncoding("utf8").on("data", (text: string) => (answered += text));
  // A later request of another connection is answered, so this one is being read.
  expect((await openCall(team, "whole", { body: chat("whole") }).answer).status).toBe(200);
  expect(await sluice.stop()).toEqual({ code: 0, signal: null });
  expect((await retried.answer).status).toBe(503);
  await until("the upload is answered", () => answered.includes("The gateway is stopping"));
  expect(answered).toMatch(/^HTTP\/1\.1 503 /);
  upload.destroy();
  await sluice.restart();
  await until("all arrived", () => sink.records.length >= 3);
  expect(arrivals(sink)).toEqual({ whole: 1, retried: 1, upload: 1 });
  expect(recordOf(sink, "retried")).toMatchObject({ status: "failure", error_information: { error_code: "503" } });
  await sink.close();
});

test("while it drains, readiness says 503 and new calls are answered and logged", async ({ startSluice, fakes }) => {
  const env = { SLUICE_SHUTDOWN_SECONDS: "20", SLUICE_DRAIN_SECONDS: "4" };
  const sluice = await startSluice({ config: pricedConfig(fakes), env });
  const team = await makeLoggedTeam(sluice);
  const { sink } = team;
  const ending = sluice.stop();
  const readiness = async (): Promise<number> => (await fetch(`${sluice.url}/health/readiness`)).status;
  await until("readiness says no", async () => (await readiness()) === 503);
  const calls = Array.from({ length: 10 }, (_, index) =>
    openCall(team, `late-${String(index)}`, {
      body: chat(`late ${String(index)}`, { stream: index % 2 === 0 }),
    }),
  );
  for (const { id, answer } of calls) expect([id, (await answer).status]).toEqual([id, 200]);
  expect(await readiness()).toBe(503);
  expect(await ending).toEqual({ code: 0, signal: null });
  expect(arrivals(sink)).toEqual(onceEach(calls));
  await sink.close();
});

test("SIGINT skips the drain, and a connection without a request holds nothing up", async ({ startSluice, fakes }) => {
  const env = { SLUICE_SHUTDOWN_SECONDS: "900", SLUICE_DRAIN_SECONDS: "800" };
  const sluice = await startSluice({ config: pricedConfig(fakes), env });
  const silent = connect(Number(new URL(sluice.url).port), "127.0.0.1");
  await once(silent, "connect");
  expect(await sluice.stop("SIGINT")).toEqual({ code: 0, signal: null });
  silent.destroy();
});

test("a second signal cuts at once, and still commits every call", async ({ startSluice, fakes }) => {
  const env = { SLUICE_SHUTDOWN_SECONDS: "900", SLUICE_DRAIN_SECONDS: "800" };
  const sluice = await startSluice({ config: pricedConfig(fakes), env });
  const team = await makeLoggedTeam(sluice);
  const { sink } = team;
  sink.setBehaviour({ hang: true });
  const streams = await openStreams(team, 8);
  sluice.signal("SIGTERM");
  const readiness = async (): Promise<number> => (await fetch(`${sluice.url}/health/readiness`)).status;
  await until("it drains", async () => (await readiness()) === 503);
  // Signals that come close together are one, so the second one is repeated until it counts.
  const repeated = setInterval(() => {
    sluice.signal("SIGTERM");
  }, 600);
  expect(await sluice.stop()).toEqual({ code: 0, signal: null });
  clearInterval(repeated);
  for (const { answer } of streams) expect((await answer).text).toContain("The gateway is stopping");
  sink.setBehaviour({});
  await sluice.restart();
  await until("all arrived", () => sink.records.length >= streams.length);
  expect(arrivals(sink)).toEqual(onceEach(streams));
  await sink.close();
});

test("a destination that hangs takes no time from the commits", async ({ startSluice, fakes }) => {
  const config = pricedConfig(fakes, { logging: { commit: "after_answer" } });
  const sluice = await startSluice({ config, env: shortStop });
  const team = await makeLoggedTeam(sluice);
  const { sink } = team;
  sink.setBehaviour({ hang: true });
  const early = openCall(team, "early", { body: chat("early") });
  expect((await early.answer).status).toBe(200);
  await until("it hangs", () => sink.requests.length > 0);
  const streams = await openStreams(team, 10);
  expect(await sluice.stop()).toEqual({ code: 0, signal: null });
  sink.setBehaviour({});
  await sluice.restart();
  await until("all arrived", () => sink.records.length > streams.length);
  expect(arrivals(sink)).toEqual(onceEach([early, ...streams]));
  await sink.close();
});
