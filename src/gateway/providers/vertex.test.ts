import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findProvider } from "#gateway/providers/index.ts";
import { UpstreamError } from "#lib/errors.ts";
import { isJsonObject } from "#logging/record.ts";
import { makeAccount } from "#testing/google-accounts.ts";
import { googleSignInOfFile } from "#testing/google-sign-in.ts";
import { readChat, sendChat, toDeployment, vendorServerOfFile } from "#testing/vendors/play-vendor.ts";

const server = vendorServerOfFile();
const google = googleSignInOfFile();

const params = { model: "vertex_ai/gemini-2.5-pro", vertex_project: "our-project", vertex_location: "europe-west1" };
// https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/call-vertex-using-openai-library
const said = JSON.stringify({
  ...{ id: "vertex-1", object: "chat.completion", created: 1, model: "google/gemini-2.5-pro" },
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
});

test("a chat is passed on to the endpoint in OpenAI's form with a token, which is asked for once", async () => {
  server.answerWith({ body: said });
  const deployment = toDeployment({ params: { ...params, vertex_credentials: google.account.json } }, server.url);
  for (const seed of [1, 2]) expect((await readChat(await sendChat(deployment, { seed }))).text).toBe(said);
  expect(server.last()).toMatchObject({ path: "/chat/completions", body: { model: "google/gemini-2.5-pro", seed: 2 } });
  expect(server.last()?.headers.authorization).toMatch(/^Bearer ya29\./);
  expect(google.asked()).toBe(1);
});

test("the key may be a file or a mapping, and a model may be another publisher's", async () => {
  server.answerWith({ body: said });
  const folder = await mkdtemp(join(tmpdir(), "vertex-"));
  const path = join(folder, "key.json");
  await writeFile(path, google.account.json);
  const mapping: unknown = JSON.parse(google.account.json);
  for (const credentials of [path, isJsonObject(mapping) ? mapping : {}]) {
    const more = { ...params, model: "vertex_ai/meta/llama", vertex_credentials: credentials };
    await sendChat(toDeployment({ params: more }, server.url), {});
    expect(server.last()).toMatchObject({ body: { model: "meta/llama" } });
  }
  await rm(folder, { recursive: true });
});

test("a key that Google does not take, or that is none, is the upstream's failure, and nothing is sent", async () => {
  const before = server.last();
  const stranger = makeAccount("stranger@fake-project.iam.gserviceaccount.com", google.tokenUri);
  for (const credentials of [stranger.json, "/no/such/file.json"]) {
    const deployment = toDeployment({ params: { ...params, vertex_credentials: credentials } }, server.url);
    await expect(sendChat(deployment, {})).rejects.toBeInstanceOf(UpstreamError);
  }
  expect(server.last()).toBe(before);
});

test("the address is the location's, and what is missing is said at the start", () => {
  const locate = (vendorParams: Record<string, string>, model = "gemini-2.5-pro"): string =>
    JSON.stringify(findProvider("vertex_ai", model)?.locate?.({ apiKey: null, vendorParams, model }));
  const project = { vertex_project: "p" };
  const rest = "/v1/projects/p/locations";
  expect(locate({ ...project, vertex_location: "europe-west1" })).toContain(
    `https://europe-west1-aiplatform.googleapis.com${rest}/europe-west1/endpoints/openapi`,
  );
  expect(locate({ ...project, vertex_location: "global" })).toContain(
    `https://aiplatform.googleapis.com${rest}/global`,
  );
  expect(locate(project)).toContain("vertex_location");
  expect(locate({ vertex_location: "global" })).toContain("vertex_project");
  const both = { ...project, vertex_location: "global" };
  expect(locate({ ...both, vertex_credentials: "{}" })).toContain("service account");
  expect(locate(both, "claude-sonnet-4-5")).toContain(`${rest}/global/publishers/anthropic/models"`);
  expect(locate(project, "claude-sonnet-4-5")).toContain("vertex_location");
});
