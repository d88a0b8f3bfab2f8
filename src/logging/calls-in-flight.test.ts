import { beforeEach, expect, test } from "vitest";
import { callsSettled, countCalls, cutCalls, enterCall, findCut, untilCut } from "#logging/calls-in-flight.ts";
import { stateCell } from "#lib/state.ts";

beforeEach(() => {
  stateCell("calls-in-flight").clear();
});

test("a call is in flight until its last hold is released, and a hold is released once", async () => {
  const call = enterCall(new AbortController().signal);
  const release = call.hold();
  let isSettled = false;
  const settled = callsSettled().then(() => (isSettled = true));
  call.leave();
  call.leave();
  await Promise.resolve();
  expect([countCalls().inFlight, isSettled]).toEqual([1, false]);
  release();
  await settled;
  expect(countCalls().inFlight).toBe(0);
});

test("a client that left is no cut, and a cut stays one when its client leaves afterwards", () => {
  const clients = [new AbortController(), new AbortController()] as const;
  const [left, cut] = clients.map(({ signal }) => enterCall(signal));
  clients[0].abort("left");
  cutCalls();
  clients[1].abort("left");
  expect(findCut(left?.signal)).toBeNull();
  expect(left?.signal.reason).toBe("left");
  expect(findCut(cut?.signal)).toMatchObject({ status: 503 });
});

test("a cut ends every wait, and calls that come later are cut at once", async () => {
  const waiting = untilCut(new Promise(() => undefined));
  cutCalls();
  await expect(waiting).rejects.toMatchObject({ status: 503 });
  await expect(untilCut(new Promise(() => undefined))).rejects.toMatchObject({ status: 503 });
  expect(await untilCut(Promise.resolve("known"))).toBe("known");
  expect(findCut(enterCall(new AbortController().signal).signal)).toMatchObject({ status: 503 });
});
