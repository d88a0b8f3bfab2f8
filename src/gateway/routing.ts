import { z } from "zod";
import type { RoutingStrategy } from "#gateway/pick-deployment.ts";
import type { Config } from "#lib/config.ts";
import type { JsonObject } from "#logging/record.ts";

/** What happens to a call whose attempt failed: how often it is tried again, and which models stand in. */
export type Routing = {
  /** Null: nobody said; see `retriesFor`. */
  retries: number | null;
  /** The models that stand in for one, in order. */
  fallbacks: readonly string[];
  contextWindowFallbacks: readonly string[];
  /** True where the client chose the stand-ins, so that he must be allowed to use them. */
  fallbacksAreClients: boolean;
};

const Names = z.array(z.string()).catch([]);
const Retries = z.coerce.number().int().min(0).max(10);
const Seconds = z.coerce.number().positive().max(86_400);

/** How one of several deployments is chosen. */
export function strategyOf({ router_settings: settings }: Config): RoutingStrategy {
  if (settings.routing_strategy === "least-busy") return "least-busy";
  return settings.routing_strategy.startsWith("usage-based-routing") ? "usage-based-routing" : "simple-shuffle";
}

/** Reads what a request, then config.yaml say of retries and stand-ins. Called only where an attempt failed. */
export function readRouting(
  { body, headers, model }: { body: JsonObject; headers: Headers; model: string },
  { litellm_settings: litellm, router_settings: router }: Config,
): Routing {
  const asked = Retries.safeParse(headers.get("x-litellm-num-retries") ?? body.num_retries);
  const clients = body.disable_fallbacks === true ? [] : Names.parse(body.fallbacks);
  const own = (lists: readonly Record<string, string[]>[]): string[] => lists.flatMap((list) => list[model] ?? []);
  const configured = own([...router.fallbacks, ...litellm.fallbacks]);
  const defaults = [...router.default_fallbacks, ...litellm.default_fallbacks];
  const isOff = body.disable_fallbacks === true;
  return {
    retries: asked.success ? asked.data : (router.num_retries ?? litellm.num_retries ?? null),
    fallbacks: isOff ? [] : clients.length > 0 ? clients : configured.length > 0 ? configured : defaults,
    contextWindowFallbacks: isOff ? [] : own([...router.context_window_fallbacks, ...litellm.context_window_fallbacks]),
    fallbacksAreClients: clients.length > 0,
  };
}

/**
 * How often an attempt is made again. Where nobody said: twice in a group with several deployments, and not at all with
 * one, because clients of the OpenAI kind try again themselves.
 */
export function retriesFor({ retries }: Routing, group: readonly unknown[]): number {
  return retries ?? (group.length > 1 ? 2 : 0);
}

/** The seconds that a request names for its own time limit, in milliseconds; undefined where it names none. */
export function readTimeoutMs(body: JsonObject, headers: Headers, isStream: boolean): number | undefined {
  const header = isStream ? headers.get("x-litellm-stream-timeout") : null;
  const named =
    header ?? headers.get("x-litellm-timeout") ?? (isStream ? body.stream_timeout : undefined) ?? body.timeout;
  if (named === undefined || named === null) return undefined;
  const parsed = Seconds.safeParse(named);
  return parsed.success ? parsed.data * 1000 : undefined;
}
