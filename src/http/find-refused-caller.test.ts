import { afterAll, beforeAll, expect, test } from "vitest";
import { findRefusedCaller } from "#http/find-refused-caller.ts";
import { cachedCaller, rememberCaller } from "#keys/caller-cache.ts";
import { strangerCaller } from "#keys/caller.ts";
import { newVirtualKey } from "#lib/id.ts";
import { startApp, type TestApp } from "#testing/app.ts";

let app: TestApp;
let queries = 0;

beforeAll(async () => {
  app = await startApp("");
  for (const target of [app.db.key, app.db.formerToken, app.db.retiredKey]) count(target, "findUnique");
  count(app.db, "$queryRaw");
});
afterAll(() => app.close());

/** Counts what is asked of the database. */
function count(target: object, method: string): void {
  const original: unknown = Reflect.get(target, method);
  if (typeof original !== "function") throw new Error(`There is no ${method}.`);
  const counted = (...given: unknown[]): unknown => {
    queries += 1;
    return Reflect.apply(original, target, given);
  };
  Object.defineProperty(target, method, { configurable: true, value: counted });
}

test("a stranger's request costs one query, however many invented keys it carries, and none again", async () => {
  const invented = Array.from({ length: 8 }, () => newVirtualKey());
  const request = new Request("http://127.0.0.1/", { headers: { authorization: invented.join(" ") } });
  queries = 0;
  expect(await findRefusedCaller(app.db, request)).toBe("nobody");
  expect(queries).toBe(1);
  expect(await findRefusedCaller(app.db, request)).toBe("nobody");
  expect(queries).toBe(1);
});

test("invented keys do not evict callers from the cache", () => {
  const until = { nowMs: 0, ttlMs: 60_000 };
  rememberCaller("known", { ...strangerCaller, keyHash: "known" }, until);
  for (let index = 0; index < 25_000; index += 1) rememberCaller(`invented-${String(index)}`, null, until);
  expect(cachedCaller("known", 1_000)).toMatchObject({ keyHash: "known" });
  expect(cachedCaller("invented-24999", 1_000)).toBeNull();
  expect(cachedCaller("invented-24999", 6_000)).toBeUndefined();
});
