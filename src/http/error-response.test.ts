import { afterEach, expect, test, vi } from "vitest";
import { toErrorResponse } from "#http/error-response.ts";
import { assertNotStopping, stoppingState } from "#http/readiness.ts";
import { currentLogger } from "#lib/logger.ts";

afterEach(() => {
  stoppingState.set(false);
  vi.restoreAllMocks();
});

test("readiness that answers 503 during a stop is not logged as a fault", async () => {
  const info = vi.spyOn(currentLogger(), "info");
  const fault = vi.spyOn(currentLogger(), "error");
  stoppingState.set(true);
  const answer = toErrorResponse(stoppingError(), { requestId: "r", route: "/health/readiness" });
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { detail: "Service Unavailable (the gateway is stopping)" },
  ]);
  expect(info).toHaveBeenCalledWith(expect.objectContaining({ status: 503 }), "not ready: the gateway is stopping");
  expect(fault).not.toHaveBeenCalled();
});

function stoppingError(): unknown {
  try {
    return assertNotStopping();
  } catch (error) {
    return error;
  }
}
