import type { Call } from "#gateway/call.ts";
import { findGroup } from "#gateway/choose-deployment.ts";
import type { Limiter, Window } from "#gateway/limits/limiter.ts";
import type { CallLimits } from "#keys/call-limits.ts";
import type { Caller } from "#keys/caller.ts";
import { AppError } from "#lib/errors.ts";
import { stateCell } from "#lib/state.ts";

/** What counts the limits of this process' calls; set at the start. */
export const limiterState = stateCell<Limiter>("limiter");

/** One window that a call is counted in, with the most that it may hold. */
type Rule = { name: string; max: number; limits: CallLimits };

/**
 * Lets a call in where every limit of its key, team, member and user leaves room, and counts its tokens when it is over.
 * Throws 429 in LiteLLM's words for the first one that does not; what was counted until then is given back.
 */
export async function admitCall(call: Call, model: string): Promise<void> {
  const { limits } = call.start.caller;
  const limiter = limiterState.get();
  const names = limitedNames(call.start.caller, model);
  const tokenRules = limits.flatMap((each) => rulesOf(each, names, "tokens"));
  const counted: string[] = [];
  const places: (() => void)[] = [];
  try {
    for (const rule of tokenRules) {
      const window = await limiter.read(rule.name);
      if (window && window.used >= rule.max) throw refusal(rule, "tokens", window);
      noteLeft(call, rule, { tokens: rule.max - (window?.used ?? 0) });
    }
    for (const each of limits) {
      const leave = await enter(limiter, each);
      if (leave !== null) places.push(call.ledger.hold(leave));
    }
    for (const rule of limits.flatMap((each) => rulesOf(each, names, "requests"))) {
      const window = await limiter.add(rule.name, 1);
      counted.push(rule.name);
      if (window.used > rule.max) throw refusal(rule, "requests", window);
      noteLeft(call, rule, { requests: rule.max - window.used });
    }
  } catch (error) {
    for (const leave of places) leave();
    await Promise.allSettled(counted.map((name) => limiter.add(name, -1)));
    throw error;
  }
  call.ledger.count(({ usage, cacheHit }) => {
    for (const { name } of tokenRules) {
      // A count that is lost lets a little more through; it never fails the call.
      if (usage.totalTokens > 0 && cacheHit !== true) limiter.add(name, usage.totalTokens).catch(() => undefined);
    }
  });
}

/** What is left to the key, by the tightest of its limits. */
function noteLeft(call: Call, { limits }: Rule, left: { requests?: number; tokens?: number }): void {
  if (limits.scope !== "api_key") return;
  const { requests = Infinity, tokens = Infinity } = call.remaining ?? {};
  const tightest = {
    requests: Math.min(requests, left.requests ?? Infinity),
    tokens: Math.min(tokens, left.tokens ?? Infinity),
  };
  call.remaining = tightest;
}

/** Takes a place among those that may be under way at once; null if there is no such limit. */
async function enter(limiter: Limiter, limits: CallLimits): Promise<(() => void) | null> {
  if (limits.parallelRequests === null) return null;
  const left = await limiter.enter(`${limits.scope}:${limits.id}`, limits.parallelRequests);
  if (left === null) throw tooManyAtOnce(limits, limits.parallelRequests);
  return left;
}

/**
 * The names under which a call counts against limits of single models: the one that it asks for, and the one in the
 * model list that answers it. An alias of the key, the team or the router is no way around a limit.
 */
function limitedNames(caller: Caller, model: string): readonly string[] {
  const hasModelLimits = caller.limits.some(
    ({ modelRequestsPerMinute, modelTokensPerMinute }) =>
      Object.keys(modelRequestsPerMinute).length + Object.keys(modelTokensPerMinute).length > 0,
  );
  if (!hasModelLimits) return [];
  const [deployment] = findGroup(caller, model);
  return [...new Set([model, deployment?.modelName ?? model])];
}

function rulesOf(limits: CallLimits, models: readonly string[], kind: "requests" | "tokens"): Rule[] {
  const isRequests = kind === "requests";
  const ofAll = isRequests ? limits.requestsPerMinute : limits.tokensPerMinute;
  const byModel = isRequests ? limits.modelRequestsPerMinute : limits.modelTokensPerMinute;
  const name = `${kind}:${limits.scope}:${limits.id}`;
  const ofModels = models.flatMap((model): Rule[] => {
    const max = Object.hasOwn(byModel, model) ? byModel[model] : undefined;
    return max === undefined ? [] : [{ name: `${name}:${model}`, max, limits }];
  });
  return [...(ofAll === null ? [] : [{ name, max: ofAll, limits }]), ...ofModels];
}

function refusal({ limits, max }: Rule, kind: "requests" | "tokens", window: Window): AppError {
  const resets = new Date(window.resetsAtMs).toISOString();
  const seconds = Math.max(1, Math.ceil((window.resetsAtMs - Date.now()) / 1000));
  return new AppError(
    "rate_limited",
    `Rate limit exceeded for ${limits.scope}: ${shownId(limits)}. Limit type: ${kind}. Current limit: ${String(max)}, ` +
      `Remaining: 0. Limit resets at: ${resets}`,
    { headers: { "retry-after": String(seconds), rate_limit_type: kind, reset_at: resets } },
  );
}

function tooManyAtOnce(limits: CallLimits, max: number): AppError {
  return new AppError(
    "rate_limited",
    `Rate limit exceeded for ${limits.scope}: ${shownId(limits)}. Limit type: max_parallel_requests. ` +
      `Current limit: ${String(max)}, Remaining: 0. Limit resets when a call is over.`,
    { headers: { "retry-after": "1", rate_limit_type: "max_parallel_requests" } },
  );
}

/** A key is shown by the beginning of its hash. */
function shownId({ scope, id }: CallLimits): string {
  return scope === "api_key" ? `${id.slice(0, 8)}…` : id;
}
