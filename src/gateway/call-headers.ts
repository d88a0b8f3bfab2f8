import { shownApiBase } from "#gateway/call-record.ts";
import type { Deployment } from "#gateway/models.ts";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import { version } from "#lib/version.ts";

/** What the headers of an answer say of its call. */
export type CallFacts = {
  callId: string;
  deployment: Deployment;
  /** The `x-sluice-log` receipt. */
  receipt: string;
  /** USD; null where it is not known yet (streams). */
  costUsd: number | null;
  startTimeMs: number;
  /** How often the call was tried again, and how many models stood in. */
  retries: number;
  fallbacks: number;
};

/** Headers of an upstream that are about its own connection or body, or that would set something at our origin. */
const keptBack = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "content-encoding",
  "content-type",
  "date",
  "set-cookie",
  "strict-transport-security",
  "alt-svc",
  "upgrade",
  "trailer",
  "server",
]);

/**
 * The headers of an answer that was passed on: the upstream's content type, LiteLLM's `x-litellm-*`, the upstream's
 * own under `llm_provider-*` with its rate limits as they are, and our receipt.
 */
export function toCallHeaders(
  facts: CallFacts,
  answer: Pick<ProviderAnswer, "headers" | "dropped">,
): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": answer.headers["content-type"] ?? "application/json",
    "cache-control": "no-store",
    ...toFailureHeaders(facts),
    "x-litellm-response-duration-ms": String(
      Math.round(performance.timeOrigin + performance.now() - facts.startTimeMs),
    ),
  };
  if (facts.costUsd !== null) headers["x-litellm-response-cost"] = String(facts.costUsd);
  if (answer.dropped !== undefined) headers["x-sluice-dropped-params"] = answer.dropped.map(toHeaderName).join(", ");
  for (const name of Object.keys(answer.headers)) {
    const value = answer.headers[name];
    if (value === undefined || keptBack.has(name)) continue;
    headers[`llm_provider-${name}`] = value;
    if (name.startsWith("x-ratelimit-")) headers[name] = value;
  }
  return headers;
}

/**
 * Headers that can be sent: what a header cannot hold (a line break, a letter beyond Latin-1) is percent-encoded. Names
 * of models and callbacks come from people, and upstreams send what they like.
 */
export function toSendable(headers: Record<string, string>): Record<string, string> {
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? "";
    if (unsendable.test(value)) headers[name] = value.toWellFormed().replace(unsendableAll, encodeURIComponent);
  }
  return headers;
}

const unsendable = /[^\t\x20-\x7e\x80-\xff]/;
const unsendableAll = /[^\t\x20-\x7e\x80-\xff]+/g;

/** The name of a parameter as a header can hold it: the client chose it. */
function toHeaderName(parameter: string): string {
  return encodeURIComponent(parameter.toWellFormed());
}

/** The headers that answers and failures of a routed call share. */
export function toFailureHeaders({
  callId,
  deployment,
  receipt,
  retries,
  fallbacks,
}: Omit<CallFacts, "costUsd" | "startTimeMs">): Record<string, string> {
  const apiBase = shownApiBase(deployment);
  return {
    "x-litellm-call-id": callId,
    "x-litellm-model-id": deployment.id,
    ...(apiBase === null ? {} : { "x-litellm-model-api-base": apiBase }),
    "x-litellm-version": version,
    "x-litellm-attempted-retries": String(retries),
    "x-litellm-attempted-fallbacks": String(fallbacks),
    "x-sluice-log": receipt,
  };
}
