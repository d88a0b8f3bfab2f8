import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { POST } from "#app/(rest)/v1/chat/completions/route.ts";
import { makeModelTable, modelsState } from "#gateway/models.ts";
import { deliveryState } from "#logging/delivery.ts";
import { decodeRecord } from "#logging/queued-record.ts";
import { isJsonObject, type JsonObject, type LogRecord } from "#logging/record.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { passedOnVendors } from "#testing/vendors/passed-on-vendors.ts";
import type { PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { vendorServerOfFile } from "#testing/vendors/play-vendor.ts";
import { question } from "#testing/vendors/vendor-case.ts";

const server = vendorServerOfFile();
let app: TestApp;
const logged: LogRecord[] = [];

beforeAll(async () => {
  app = await startApp();
  const models = passedOnVendors.map(({ name, params, base }) => ({
    model_name: name,
    litellm_params: { ...params, api_base: `${server.url}${base}` },
  }));
  const config = app.configure(
    JSON.stringify({ model_list: models, litellm_settings: { callbacks: ["local_files"] } }),
  );
  modelsState.set(makeModelTable(config));
  deliveryState.set({
    ...app.delivery,
    append: async ({ contents }) => void logged.push(...contents.map(({ body }) => decodeRecord(body).record)),
  });
});
beforeEach(() => {
  logged.length = 0;
});
afterAll(() => app.close());

/** What a client gets of a vendor's answer. */
async function ask(
  vendor: PassedOnVendor,
  request: JsonObject,
): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await POST(
    new Request("http://127.0.0.1:4000/v1/chat/completions", {
      method: "POST",
      headers: { authorization: `Bearer ${app.masterKey}`, "content-type": "application/json" },
      body: JSON.stringify({ model: vendor.name, messages: question, ...request }),
    }),
    { params: Promise.resolve({}) },
  );
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The one record of the call. */
function onlyRecord(): LogRecord {
  expect(logged).toHaveLength(1);
  const [record] = logged;
  if (!record) throw new Error("Nothing was logged.");
  return record;
}

describe.each(passedOnVendors)("a client gets the bytes of $name", (vendor) => {
  const ofFeature = (isFailure: boolean) => vendor.cases.filter(({ failure }) => (failure !== undefined) === isFailure);

  test.each(ofFeature(false))("$feature: $name", async ({ request = {}, upstream, usageFrame = "", ...expected }) => {
    server.answerWith(upstream);
    const { status, text } = await ask(vendor, request);
    expect(status).toBe(200);
    expect(text).toBe(upstream.body.replace(usageFrame, ""));
    const record = onlyRecord();
    expect(record).toMatchObject({ status: "success", usage: expected.logged?.usage ?? {} });
    expect(record.response?.choices).toMatchObject([expected.logged?.choice]);
    const { path, headers, model } = vendor.sent;
    const asks = request.stream === true && vendor.asksForUsage;
    expect(server.last()).toMatchObject({ path, headers });
    expect(server.last()?.body).toEqual({
      ...request,
      ...{ model, messages: question },
      ...(asks ? { stream_options: { include_usage: true } } : {}),
    });
  });

  test.each(ofFeature(false).filter(({ usageFrame }) => usageFrame !== undefined))(
    "$feature: $name, to a client that asks for its usage",
    async ({ request, upstream }) => {
      server.answerWith(upstream);
      const { text } = await ask(vendor, { ...request, stream_options: { include_usage: true } });
      expect(text).toBe(upstream.body);
    },
  );

  test.each(ofFeature(true))("$feature: $name", async ({ request = {}, upstream, failure, feature }) => {
    server.answerWith(upstream);
    const { status, headers, text } = await ask(vendor, request);
    const message: unknown = expect.stringContaining(failure?.message ?? "?");
    const type = failure?.type === undefined ? {} : { type: failure.type };
    if (feature === "broken") {
      expect(status).toBe(200);
      expect(upstream.body.startsWith(text)).toBe(true);
      expect(text).toContain(failure?.message);
    } else {
      expect(status).toBe(failure?.status);
      const body: unknown = JSON.parse(text);
      expect(isJsonObject(body) ? body.error : null).toMatchObject({ message, ...type });
      expect(headers.get("retry-after")).toBe(upstream.headers?.["retry-after"] ?? null);
    }
    expect(onlyRecord()).toMatchObject({ status: "failure", error: { code: String(failure?.status), message } });
  });
});

test("Mistral is not asked for the usage that it sends anyway, and gets its own names of fields", async () => {
  const mistral = passedOnVendors.find(({ name }) => name === "mistral/");
  if (!mistral) throw new Error("Mistral is one of them.");
  server.answerWith({ body: "data: [DONE]\n\n" });
  const asked = { stream: true, stream_options: { include_usage: true }, max_completion_tokens: 5, seed: 7 };
  await ask(mistral, asked);
  expect(server.last()?.body).toEqual({
    ...{ model: mistral.sent.model, messages: question },
    ...{ stream: true, max_tokens: 5, random_seed: 7 },
  });
  await ask(mistral, { ...asked, max_tokens: 6, stream_options: { include_usage: true, stream_tool_calls: true } });
  expect(server.last()?.body).toMatchObject({
    ...{ max_tokens: 6, max_completion_tokens: 5, stream_options: { stream_tool_calls: true } },
  });
});

test("an old version of Azure's API, which has no stream_options, is asked without", async () => {
  const [azure] = passedOnVendors.filter(({ name }) => name === "azure/");
  if (!azure) throw new Error("Azure is one of them.");
  const params = { ...azure.params, api_base: server.url, api_version: "2024-02-15-preview" };
  const config = app.configure(JSON.stringify({ model_list: [{ model_name: azure.name, litellm_params: params }] }));
  modelsState.set(makeModelTable(config));
  server.answerWith({ body: "data: [DONE]\n\n" });
  expect((await ask(azure, { stream: true })).text).toBe("data: [DONE]\n\n");
  expect(server.last()?.body).not.toHaveProperty("stream_options");
});
