import { loadOf, type DeploymentLoad } from "#gateway/deployment-load.ts";
import type { Deployment } from "#gateway/models.ts";

/** How one of several deployments is chosen, in LiteLLM's words. */
export type RoutingStrategy = "simple-shuffle" | "least-busy" | "usage-based-routing";

/** What to leave out, and how to choose. `tried` are the ones that failed for this call. */
export type PickOptions = { strategy: RoutingStrategy; tried: ReadonlySet<string>; nowMs: number };

/** True where nothing has to be known of the deployments' load. */
export function isPlain(group: readonly Deployment[]): boolean {
  const [only] = group;
  return group.length === 1 && only?.rpm === null && only.tpm === null;
}

/**
 * One deployment of a group: none that is cooling down or at its `rpm` or `tpm`, and one that failed for this call only
 * where there is no other. Null where none is left.
 */
export function pickDeployment(
  group: readonly Deployment[],
  { strategy, tried, nowMs }: PickOptions,
): Deployment | null {
  if (isPlain(group)) return group[0] ?? null;
  const usable = group
    .map((deployment) => ({ deployment, load: loadOf(deployment, nowMs) }))
    .filter(({ deployment, load }) => load.coolUntilMs <= nowMs && isBelowLimits(deployment, load));
  const fresh = usable.filter(({ deployment }) => !tried.has(deployment.id));
  return choose(fresh.length > 0 ? fresh : usable, strategy);
}

type Candidate = { deployment: Deployment; load: DeploymentLoad };

function choose(candidates: readonly Candidate[], strategy: RoutingStrategy): Deployment | null {
  if (strategy === "least-busy") return smallest(candidates, ({ load }) => load.running);
  if (strategy === "usage-based-routing") return smallest(candidates, ({ load }) => load.tokens);
  return shuffle(candidates.map(({ deployment }) => deployment));
}

/** One at random of those with the smallest measure. */
function smallest(candidates: readonly Candidate[], measure: (candidate: Candidate) => number): Deployment | null {
  const least = Math.min(...candidates.map(measure));
  const equal = candidates.filter((candidate) => measure(candidate) === least);
  return equal[Math.floor(Math.random() * equal.length)]?.deployment ?? null;
}

/** One at random, by `weight` where any has one, else by `rpm`, else by `tpm`, else each as likely as the others. */
function shuffle(deployments: readonly Deployment[]): Deployment | null {
  const measure = (["weight", "rpm", "tpm"] as const).find((name) => deployments.some((each) => each[name] !== null));
  const weights = deployments.map((each) => (measure === undefined ? 1 : (each[measure] ?? 0)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return deployments[Math.floor(Math.random() * deployments.length)] ?? null;
  let left = Math.random() * total;
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return deployments[index] ?? null;
  }
  return deployments.at(-1) ?? null;
}

function isBelowLimits({ rpm, tpm }: Deployment, { requests, tokens }: DeploymentLoad): boolean {
  return (rpm === null || requests < rpm) && (tpm === null || tokens < tpm);
}
