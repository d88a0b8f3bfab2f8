import { expect, test } from "vitest";
import { basic, batch, confirmHost, send, start } from "./langfuse-harness.ts";

const timestamp = "2025-01-16T19:28:55.125002Z";
const traceEvent = { id: "event-1", type: "trace-create", timestamp, body: { id: "trace-1", name: "t", tags: [] } };
const generation = { id: "generation-1", traceId: "trace-1", name: "g", startTime: timestamp };
const generationEvent = { id: "event-2", type: "generation-create", timestamp, body: generation };

test("version 4 refuses every event of the old batch inside a 207, unless it writes both", async () => {
  const fake = await start();
  const answer = await send(fake, batch, { body: { batch: [traceEvent, generationEvent] } });
  expect(answer.status).toBe(207);
  expect(answer.body.successes).toEqual([]);
  expect(answer.body.errors).toMatchObject([
    { id: "event-1", status: 400, message: "Event type not accepted" },
    { id: "event-2", status: 400, message: "Event type not accepted" },
  ]);
  expect(fake.project("red").observations).toEqual([]);
  const dual = await start({ writeMode: "dual" });
  expect((await send(dual, batch, { body: { batch: [generationEvent] } })).body.errors).toEqual([]);
});

test("version 3 stores the old batch and merges by entity", async () => {
  const fake = await start({ version: "3.150.0" });
  const update = {
    id: "event-3",
    type: "generation-update",
    timestamp: "2025-01-16T19:28:56Z",
    body: { id: "generation-1", output: "answer" },
  };
  const answer = await send(fake, batch, { body: { batch: [update, traceEvent, generationEvent] } });
  expect(answer.body.successes).toHaveLength(3);
  expect(fake.project("red").traces).toMatchObject([{ id: "trace-1", body: { name: "t" } }]);
  expect(fake.project("red").observations).toMatchObject([
    { id: "generation-1", body: { name: "g", output: "answer", traceId: "trace-1" } },
  ]);
});

test.each([
  ["has no id", { ...generationEvent, id: undefined }],
  ["has a time without zone", { ...generationEvent, timestamp: "2025-01-16T19:28:55" }],
  ["has an unknown type", { ...generationEvent, type: "answer-create" }],
  ["has a generation without id", { ...generationEvent, body: { name: "g" } }],
  ["has an unknown level", { ...generationEvent, body: { ...generation, level: "INFO" } }],
  [
    "has a nested model parameter",
    { ...generationEvent, body: { ...generation, modelParameters: { a: { b: { c: 1 } } } } },
  ],
  ["has a prompt name without version", { ...generationEvent, body: { ...generation, promptName: "p" } }],
  ["has tags that are no list", { ...traceEvent, body: { id: "t", tags: "a" } }],
])("an event of the old batch that %s is refused alone", async (_, bad) => {
  const fake = await start({ version: "3.150.0" });
  const answer = await send(fake, batch, { body: { batch: [traceEvent, bad] } });
  expect(answer.status).toBe(207);
  expect(answer.body.successes).toEqual([{ id: "event-1", status: 201 }]);
  expect(answer.body.errors).toMatchObject([{ status: 400, message: "Invalid request data" }]);
});

test("an event without the id of its entity is acknowledged and not stored", async () => {
  const fake = await start({ version: "3.150.0" });
  const answer = await send(fake, batch, { body: { batch: [{ ...traceEvent, body: { name: "t" } }] } });
  expect(answer.body.successes).toHaveLength(1);
  expect(fake.project("red").traces).toEqual([]);
});

test("the old batch refuses bad credentials, organization keys, bodies without batch and bodies over 4.5 MB", async () => {
  const fake = await start({ version: "3.150.0" });
  const body = { batch: [traceEvent] };
  const wrong = await send(fake, batch, { body, headers: { authorization: basic("a", "b") } });
  expect(wrong).toMatchObject({ status: 401, body: { error: "UnauthorizedError", message: confirmHost } });
  const organization = await send(fake, batch, { body, headers: { authorization: basic("pk-lf-org", "sk-lf-org") } });
  expect(organization.status).toBe(401);
  const scores = await send(fake, batch, { body, headers: { authorization: "Bearer pk-lf-red" } });
  expect(scores.body.errors).toMatchObject([{ status: 401, error: "Access Scope Denied" }]);
  expect((await send(fake, batch, { body: {} })).status).toBe(400);
  const large = { batch: [{ ...traceEvent, body: { id: "t", input: "x".repeat(4_800_000) } }] };
  expect((await send(fake, batch, { body: large })).status).toBe(413);
});
