import { beforeEach, expect, test } from "vitest";
import { forgetLoads, loadOf } from "#gateway/deployment-load.ts";
import type { Deployment } from "#gateway/models.ts";
import { pickDeployment, type PickOptions } from "#gateway/pick-deployment.ts";

const nowMs = 1_763_688_570_000;
const options: PickOptions = { strategy: "simple-shuffle", tried: new Set(), nowMs };

beforeEach(forgetLoads);

function deployment(id: string, more: Partial<Deployment> = {}): Deployment {
  return {
    id,
    modelName: "group",
    provider: "openai",
    upstreamModel: "m",
    apiBase: "http://127.0.0.1:1",
    apiKey: null,
    apiVersion: null,
    mockResponse: null,
    timeoutMs: 1,
    streamTimeoutMs: 1,
    wholeStreamTimeoutMs: undefined,
    weight: null,
    dropsParams: false,
    vendorParams: {},
    rpm: null,
    tpm: null,
    prices: null,
    priceModel: "m",
    defaults: {},
    ...more,
  };
}

function picked(group: readonly Deployment[], more: Partial<PickOptions> = {}): Set<string | undefined> {
  return new Set(Array.from({ length: 200 }, () => pickDeployment(group, { ...options, ...more })?.id));
}

test("without weights every deployment is chosen; one of weight 0 beside others never", () => {
  expect(picked([deployment("a"), deployment("b")])).toEqual(new Set(["a", "b"]));
  expect(picked([deployment("a", { weight: 1 }), deployment("b", { weight: 0 })])).toEqual(new Set(["a"]));
});

test("what failed for this call comes last, and what rests or is at its limit not at all", () => {
  const [a, b] = [deployment("a"), deployment("b", { rpm: 1 })];
  expect(picked([a, deployment("b")], { tried: new Set(["a"]) })).toEqual(new Set(["b"]));
  loadOf(b, nowMs).requests = 1;
  expect(picked([a, b])).toEqual(new Set(["a"]));
  expect(picked([a, b], { tried: new Set(["a"]) })).toEqual(new Set(["a"]));
  loadOf(a, nowMs).coolUntilMs = nowMs + 1;
  expect(pickDeployment([a, b], options)).toBeNull();
  expect(pickDeployment([a, b], { ...options, nowMs: nowMs + 60_000 })).not.toBeNull();
});

test("the least busy one, and the one with the fewest tokens, are chosen where that is asked for", () => {
  const group = [deployment("a"), deployment("b")];
  loadOf(deployment("a"), nowMs).running = 1;
  expect(picked(group, { strategy: "least-busy" })).toEqual(new Set(["b"]));
  loadOf(deployment("b"), nowMs).tokens = 5;
  expect(picked(group, { strategy: "usage-based-routing" })).toEqual(new Set(["a"]));
});
