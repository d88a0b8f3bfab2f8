import { describe, expect, test } from "vitest";
import type { Deployment } from "#gateway/models.ts";
import { isJsonObject } from "#logging/record.ts";
import { googleSignInOfFile } from "#testing/google-sign-in.ts";
import { readChat, sendChat, toDeployment, vendorServerOfFile } from "#testing/vendors/play-vendor.ts";
import type { Vendor } from "#testing/vendors/vendor-case.ts";
import { vendors } from "#testing/vendors/vendors.ts";

const server = vendorServerOfFile();
const google = googleSignInOfFile();

function deploy(vendor: Vendor): Deployment {
  const account = vendor.account === "google" ? { vertex_credentials: google.account.json } : {};
  return toDeployment(vendor, server.url, account);
}

describe.each(vendors)("$name answers a client of OpenAI's API", (vendor) => {
  test.each(vendor.cases)("$feature: $name", async ({ request, sent, upstream, ...expected }) => {
    server.answerWith(upstream);
    const answer = await sendChat(deploy(vendor), request);
    const { status, body, text } = await readChat(answer);
    if (sent) expect(server.last()).toMatchObject(sent);
    expect(status).toBe(expected.status ?? 200);
    if (expected.feature === "errors") {
      expect(isJsonObject(body.error) ? body.error : body).toMatchObject(expected.answer);
      expect(answer.headers["retry-after"]).toBe(upstream.headers?.["retry-after"]);
      return;
    }
    if (expected.feature === "broken") {
      expect(body).toMatchObject({ error: expected.answer });
      expect(text).not.toContain("[DONE]");
      return;
    }
    const { finishReason, usage } = expected;
    expect(body.id).toMatch(/^chatcmpl-/);
    expect(body.created).toBeTypeOf("number");
    expect(body).toMatchObject({
      object: "chat.completion",
      choices: [{ index: 0, message: expected.answer, ...(finishReason ? { finish_reason: finishReason } : {}) }],
      ...(usage ? { usage } : {}),
    });
    if (request.stream === true) expect(text).toMatch(/\n\ndata: \[DONE\]\n\n$/);
  });
});
