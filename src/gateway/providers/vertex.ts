import { sendJson } from "#gateway/providers/openai.ts";
import type { Provider } from "#gateway/providers/provider.ts";
import { findVertexToken, locateVertex } from "#gateway/providers/vertex-account.ts";
import { vertexClaude } from "#gateway/providers/vertex-claude.ts";

/**
 * Google Cloud's Vertex AI at its endpoint in OpenAI's form, which has Gemini and the open models of Model Garden; Claude
 * has its own. https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/call-vertex-using-openai-library
 */
export const vertex: Provider = {
  name: "vertex_ai",
  apiBase: null,
  exceptionName: "VertexAIException",
  ofModel: (model) => (model.startsWith("claude") ? vertexClaude : vertex),
  takes: ({ name }) => name === "chat",
  locate({ vendorParams }) {
    const located = locateVertex(vendorParams);
    return "problem" in located ? located : { apiBase: `${located.location}/endpoints/openapi` };
  },
  async send(call) {
    const { deployment, operation, signal } = call;
    const token = await findVertexToken(deployment, signal);
    const { upstreamModel } = deployment;
    const model = upstreamModel.includes("/") ? upstreamModel : `google/${upstreamModel}`;
    const body = { ...call.body, model };
    return sendJson(
      `${deployment.apiBase ?? ""}${operation.path}`,
      { ...call, body },
      { authorization: `Bearer ${token}` },
    );
  },
};
