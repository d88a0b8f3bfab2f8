import { setTimeout as sleep } from "node:timers/promises";
import { attemptCall, type Attempt } from "#gateway/attempt-call.ts";
import { findGroup } from "#gateway/choose-deployment.ts";
import type { Call, RoutedCall } from "#gateway/call.ts";
import { nowMs, shownApiBase } from "#gateway/call-record.ts";
import { loadOf } from "#gateway/deployment-load.ts";
import type { Deployment } from "#gateway/models.ts";
import { isPlain, pickDeployment } from "#gateway/pick-deployment.ts";
import { readRouting, retriesFor, strategyOf, type Routing } from "#gateway/routing.ts";
import { ofCut, type CallFailure } from "#gateway/upstream-failure.ts";
import { configState } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { monotonicMs } from "#lib/monotonic.ts";
import { findCut } from "#logging/calls-in-flight.ts";
import type { RecordAttempt } from "#logging/record.ts";

/** What became of a call: an answer, or the failure of its last attempt. `deployment` made that attempt. */
export type RouteOutcome =
  | { call: RoutedCall; attempt: Attempt }
  | { call: RoutedCall; failure: CallFailure }
  | { call: RoutedCall; hasLeft: true; wasCalled: boolean };

/** What is under way of one call. */
type Journey = {
  call: Call;
  form: FormData | null;
  tried: Set<string>;
  /** The failed attempts, all but the last one. */
  attempts: RecordAttempt[];
  retries: number;
  fallbacks: number;
  last: { deployment: Deployment; failure: CallFailure; startTimeMs: number } | null;
};

/**
 * Sends a call to a deployment of its model: again, and to another one, where that may help, then to the models that
 * stand in for it. Throws a refusal of our own: no such model, not allowed, no deployment left.
 */
export async function routeCall(call: Call, model: string, form: FormData | null): Promise<RouteOutcome> {
  const journey: Journey = { call, form, tried: new Set(), attempts: [], retries: 0, fallbacks: 0, last: null };
  const { caller, body, headers } = call.start;
  const config = configState.get();
  const group = findGroup(caller, model);
  const done = await tryGroup(journey, group, null);
  if (done) return done;
  const routing = readRouting({ body, headers, model: group[0]?.modelName ?? model }, config);
  for (const name of standIns(journey, routing)) {
    const others = findStandIn(journey, name, routing);
    if (others === null) continue;
    journey.fallbacks += 1;
    const answered = await tryGroup(journey, others, routing);
    if (answered) return answered;
  }
  const { last } = journey;
  if (last === null) throw noDeployment(model);
  return { call: toRouted(journey, last.deployment), failure: last.failure };
}

/** The answer of a group; null where it has none and a stand-in may. */
async function tryGroup(
  journey: Journey,
  group: readonly Deployment[],
  known: Routing | null,
): Promise<RouteOutcome | null> {
  const config = configState.get();
  const plain = isPlain(group);
  for (let tries = 0; ; tries += 1) {
    const { tried } = journey;
    const deployment = pickDeployment(group, { strategy: strategyOf(config), tried, nowMs: monotonicMs() });
    if (deployment === null) return null;
    if (tries > 0) journey.retries += 1;
    noteLast(journey);
    const call = toRouted(journey, deployment);
    const startTimeMs = nowMs();
    const endRun = plain ? null : startRun(call);
    const outcome = await attemptCall(call, journey.form);
    if (outcome.kind !== "failed" && !plain) countTokens(call);
    if (outcome.kind === "left") return toAborted(call, outcome.wasCalled);
    if (outcome.kind !== "failed") return { call, attempt: outcome };
    journey.last = { deployment, failure: outcome.failure, startTimeMs };
    tried.add(deployment.id);
    endRun?.();
    if (!plain) noteFailure(call, outcome.failure, group);
    const { body, headers } = call.start;
    const routing = known ?? readRouting({ body, headers, model: deployment.modelName }, config);
    if (!mayHelpAgain(outcome.failure, group) || tries >= retriesFor(routing, group)) return null;
    await waitToRetry(journey, group, tries);
    if (!call.start.signal?.aborted) continue;
    noteLast(journey);
    return toAborted(toRouted(journey, deployment), false);
  }
}

/** Nothing more is tried for a call that was aborted. A cut is a failure of the call, a client that left is none. */
function toAborted(call: RoutedCall, wasCalled: boolean): RouteOutcome {
  const cut = findCut(call.start.signal);
  return cut === null ? { call, hasLeft: true, wasCalled } : { call, failure: { ...ofCut(cut), wasBegun: wasCalled } };
}

function toRouted({ call, attempts, retries, fallbacks }: Journey, deployment: Deployment): RoutedCall {
  return { ...call, deployment, attempts, retries, fallbacks };
}

/** The last failed attempt becomes a part of the record once there is another one after it. */
function noteLast({ attempts, last }: Journey): void {
  if (last === null) return;
  const { deployment, failure, startTimeMs } = last;
  attempts.push({
    modelGroup: deployment.modelName,
    model: deployment.upstreamModel,
    modelId: deployment.id,
    provider: deployment.provider,
    apiBase: shownApiBase(deployment),
    startTimeMs,
    endTimeMs: nowMs(),
    error: failure.logged,
  });
}

/** Counts a call as running until the returned function or the end of the call. */
function startRun({ deployment, ledger }: RoutedCall): () => void {
  const load = loadOf(deployment, monotonicMs());
  load.running += 1;
  load.requests += 1;
  return ledger.hold(() => {
    load.running -= 1;
  });
}

function countTokens({ deployment, ledger }: RoutedCall): void {
  ledger.count(({ usage }) => {
    loadOf(deployment, monotonicMs()).tokens += usage.totalTokens;
  });
}

/** Notes a failed attempt, and lets a deployment rest that fails while there are others. */
function noteFailure(call: RoutedCall, failure: CallFailure, group: readonly Deployment[]): void {
  const load = loadOf(call.deployment, monotonicMs());
  load.failures += 1;
  const { litellm_settings: litellm, router_settings: router } = configState.get();
  if (group.length < 2 || router.disable_cooldowns) return;
  const failuresMax = router.allowed_fails ?? litellm.allowed_fails ?? 3;
  const restsAtOnce = [401, 404, 408, 429].includes(failure.error.status);
  if (!isDeploymentsFault(failure) || (!restsAtOnce && load.failures <= failuresMax)) return;
  const restMs = (router.cooldown_time ?? litellm.cooldown_time ?? 5) * 1000;
  load.coolUntilMs = monotonicMs() + Math.max(restMs, failure.waitMs ?? 0);
}

/** The models that may stand in after this failure. */
function standIns({ last }: Journey, { fallbacks, contextWindowFallbacks }: Routing): readonly string[] {
  if (last === null) return fallbacks;
  if (last.failure.isContextWindow) return contextWindowFallbacks.length > 0 ? contextWindowFallbacks : fallbacks;
  return isDeploymentsFault(last.failure) ? fallbacks : [];
}

/** A model that does not exist stands in for nothing; one that the client named must be his to use. */
function findStandIn({ call }: Journey, name: string, routing: Routing): readonly Deployment[] | null {
  try {
    return findGroup(call.start.caller, name, { isOperators: !routing.fallbacksAreClients });
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** True where the request itself is sound: another deployment, or the same one later, may take it. */
function isDeploymentsFault({ error: { status } }: CallFailure): boolean {
  return [401, 403, 404, 408, 409, 425, 429].includes(status) || status >= 500;
}

function mayHelpAgain(failure: CallFailure, group: readonly Deployment[]): boolean {
  const { status } = failure.error;
  if ([408, 409, 425, 429].includes(status) || status >= 500) return true;
  return group.length > 1 && isDeploymentsFault(failure);
}

const waitMsMax = 60_000;

/** No wait where another deployment is free; else what the upstream asked for, or half a second and its doubles. */
async function waitToRetry({ call, tried, last }: Journey, group: readonly Deployment[], tries: number): Promise<void> {
  const now = monotonicMs();
  if (group.some((each) => !tried.has(each.id) && loadOf(each, now).coolUntilMs <= now)) return;
  const asked = last?.failure.waitMs ?? null;
  const backOffMs = Math.min(8_000, 500 * 2 ** tries) * (0.75 + Math.random() / 2);
  const waitMs = asked !== null && asked <= waitMsMax ? asked : backOffMs;
  await sleep(waitMs, undefined, { signal: call.start.signal }).catch(() => undefined);
}

function noDeployment(model: string): AppError {
  const seconds = configState.get().router_settings.cooldown_time ?? 5;
  return new AppError(
    "rate_limited",
    `No deployments available for selected model, Try again in ${String(seconds)} seconds. Passed model=${model}`,
    { headers: { "retry-after": String(Math.ceil(seconds)) } },
  );
}
