import { anthropicCases } from "#testing/vendors/anthropic-cases.ts";
import { message } from "#testing/vendors/anthropic-wire.ts";
import { pixel, type Vendor, type VendorCase } from "#testing/vendors/vendor-case.ts";

const model = "claude-sonnet-4-5@20250929";
const page = "https://docs.anthropic.com/en/api/claude-on-vertex-ai";

/** Claude on Vertex AI: Anthropic's exchanges at another address, but for what is not there. */
export const vertexClaudeCases: Vendor = {
  name: "vertex_ai/claude-…",
  params: { model: `vertex_ai/${model}`, vertex_project: "our-project", vertex_location: "global" },
  account: "google",
  cases: [
    ...anthropicCases.cases.filter(({ feature }) => feature !== "images" && feature !== "schema").map(toVertex),
    {
      feature: "images",
      name: "a picture in the request",
      page,
      request: {
        messages: [
          { role: "user", content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } }] },
        ],
      },
      sent: {
        body: {
          messages: [
            {
              role: "user",
              content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: pixel } }],
            },
          ],
        },
      },
      upstream: { body: message([{ type: "text", text: "One pixel." }]) },
      answer: { content: "One pixel." },
    },
    {
      feature: "schema",
      name: "an answer by a JSON schema, by a tool that the client does not see",
      page,
      request: {
        response_format: {
          type: "json_schema",
          json_schema: { name: "person", schema: { type: "object", properties: { name: { type: "string" } } } },
        },
      },
      sent: { body: { tools: [{ name: "json" }] } },
      upstream: {
        body: message([{ type: "tool_use", id: "toolu_2", name: "json", input: { name: "Ada" } }], {
          stop_reason: "tool_use",
        }),
      },
      answer: { content: '{"name":"Ada"}' },
      finishReason: "stop",
    },
  ],
};

/** The model is in the path, and the version in the body. */
function toVertex(each: VendorCase): VendorCase {
  const { model: _model, ...body } = each.sent?.body ?? {};
  const verb = each.request.stream === true ? "streamRawPredict" : "rawPredict";
  return { ...each, sent: { path: `/${model}:${verb}`, body: { anthropic_version: "vertex-2023-10-16", ...body } } };
}
