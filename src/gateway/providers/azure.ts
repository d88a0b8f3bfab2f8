import { sendJson } from "#gateway/providers/openai.ts";
import type { Provider } from "#gateway/providers/provider.ts";

/** The version that answers with today's fields; `api_version` in config.yaml names another. */
const versionDefault = "2024-10-21";

/** The first version that takes `stream_options`; older ones answer a request that has them with a 400. */
const versionWithStreamOptions = "2024-09-01";

/**
 * Azure OpenAI: OpenAI's wire, with the deployment in the path, the version in the query and the key in a header of its
 * own. The Responses API has no deployment in its path. https://learn.microsoft.com/azure/ai-services/openai/reference
 */
export const azure: Provider = {
  name: "azure",
  apiBase: null,
  exceptionName: "AzureException",
  // Versions are dates; words such as `preview` and `latest` are no older ones.
  streamUsage: ({ apiVersion }) => ((apiVersion ?? versionDefault) >= versionWithStreamOptions ? "asked" : "never"),
  takes: ({ name }) => !["messages", "moderation", "rerank"].includes(name),
  send(call) {
    const { deployment, operation } = call;
    const base = (deployment.apiBase ?? "").replace(/\/openai(\/v1)?$/, "");
    const version = encodeURIComponent(deployment.apiVersion ?? versionDefault);
    const path = operation.name === "responses" ? "" : `/deployments/${encodeURIComponent(deployment.upstreamModel)}`;
    const url = `${base}/openai${path}${operation.path}?api-version=${version}`;
    return sendJson(url, call, deployment.apiKey === null ? {} : { "api-key": deployment.apiKey });
  },
};
