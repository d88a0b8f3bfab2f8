import { z } from "zod";
import type { Caller } from "#keys/caller.ts";
import { shownApiBase } from "#gateway/call-record.ts";
import { toUpstreamBody } from "#gateway/upstream-body.ts";
import { allowedModels } from "#gateway/choose-deployment.ts";
import { modelsState, type Deployment } from "#gateway/models.ts";
import { chat } from "#gateway/operations/chat.ts";
import { findProvider } from "#gateway/providers/index.ts";
import { ofStatus, ofThrown } from "#gateway/upstream-failure.ts";
import { AppError } from "#lib/errors.ts";
import { readBody } from "#lib/fetch-upstream.ts";

/** One deployment as `/health` shows it: field by field, so that no key of a provider can be in it. */
export const ModelEndpoint = z
  .object({
    model: z.string(),
    model_id: z.string(),
    provider: z.string(),
    api_base: z.string().nullable().optional().describe("Without query and sign-in; administrators only."),
    state: z.enum(["healthy", "unhealthy", "unverified"]).describe("`unverified`: configured, and not asked."),
    error: z.string().optional().describe("The upstream's own words."),
  })
  .meta({ id: "ModelEndpoint" });
export type ModelEndpoint = z.output<typeof ModelEndpoint>;

/** What `GET /health` answers. What was not asked counts as healthy and says `unverified`. */
export const ModelHealth = z.object({
  healthy_endpoints: z.array(ModelEndpoint),
  unhealthy_endpoints: z.array(ModelEndpoint),
  healthy_count: z.number().int(),
  unhealthy_count: z.number().int(),
});
export type ModelHealth = z.output<typeof ModelHealth>;

const deadlineMs = 10_000;
const errorBytesMax = 64 * 1024;

/**
 * Lists the deployments of the models that a caller may use. With `isCheck` each is sent one token's worth of a chat,
 * which the provider may charge, so only administrators may; it is neither logged nor counted as spend.
 */
export async function checkModels(caller: Caller, isCheck: boolean): Promise<ModelHealth> {
  const isAdmin = caller.role === "proxy_admin";
  if (isCheck && !isAdmin) throw new AppError("forbidden", "Only proxy admin can call models for a health check.");
  const table = modelsState.get();
  const deployments = allowedModels(caller).flatMap((name) => table.get(name) ?? []);
  const endpoints = await Promise.all(
    deployments.map(async (deployment): Promise<ModelEndpoint> => {
      const error = isCheck ? await callDeployment(deployment) : null;
      return {
        model: deployment.modelName,
        model_id: deployment.id,
        provider: deployment.provider,
        ...(isAdmin ? { api_base: shownApiBase(deployment) } : {}),
        state: !isCheck ? "unverified" : error === null ? "healthy" : "unhealthy",
        ...(error === null ? {} : { error }),
      };
    }),
  );
  const unhealthy = endpoints.filter(({ state }) => state === "unhealthy");
  const healthy = endpoints.filter(({ state }) => state !== "unhealthy");
  return {
    healthy_endpoints: healthy,
    unhealthy_endpoints: unhealthy,
    healthy_count: healthy.length,
    unhealthy_count: unhealthy.length,
  };
}

/** Calls a deployment; null where it answered, else what went wrong, at the latest after the deadline. */
async function callDeployment(deployment: Deployment): Promise<string | null> {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    late.resolve(`No answer within ${String(deadlineMs / 1000)} seconds.`);
  }, deadlineMs);
  try {
    return await Promise.race([send(deployment), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function send(deployment: Deployment): Promise<string | null> {
  const request = { messages: [{ role: "user", content: "ping" }], max_tokens: 1 };
  const body = toUpstreamBody(request, { model: deployment.upstreamModel, defaults: deployment.defaults });
  const headers = new Headers();
  try {
    const provider = findProvider(deployment.provider, deployment.upstreamModel);
    if (!provider) return `There is no provider ${deployment.provider}.`;
    const answer = await provider.send({
      deployment,
      operation: chat,
      body,
      form: null,
      headers,
      timeoutMs: deadlineMs,
      totalTimeoutMs: deadlineMs,
    });
    if (answer.status >= 200 && answer.status < 300) {
      answer.body.destroy();
      return null;
    }
    const text = await readBody(answer, errorBytesMax).then(String, () => "");
    return ofStatus(deployment, { status: answer.status, text, retryAfter: null }).error.message;
  } catch (thrown) {
    return ofThrown(deployment, thrown).error.message;
  }
}
