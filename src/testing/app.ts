import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Route } from "#http/route.ts";
import { limiterState } from "#gateway/limits/admit-call.ts";
import { makeMemoryLimiter } from "#gateway/limits/memory-limiter.ts";
import { parsePrivateHosts, privateHostsState } from "#lib/address-private-hosts.ts";
import { configState, parseConfig, type Config } from "#lib/config.ts";
import { databaseState, openDatabase, type Database } from "#lib/db.ts";
import { setMasterKeys } from "#lib/master-key.ts";
import { keyringState, makeKeyring } from "#lib/seal.ts";
import { makeSigner, signerState } from "#lib/sign.ts";
import { deliveryState, type Delivery } from "#logging/delivery.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import { assertDocumented } from "#testing/documented.ts";
import { makeTestDelivery } from "#testing/test-delivery.ts";

/** What a test calls a route with. `key` is the bearer; the master key where it is absent, nobody where it is null. */
export type TestCall = {
  path: string;
  method?: string;
  body?: unknown;
  params?: Record<string, string>;
  key?: string | null;
  headers?: Record<string, string>;
};

/** What a route answered. `body` is parsed JSON. */
export type TestAnswer = { status: number; headers: Headers; text: string; body: unknown };

/** A process that is ready to serve routes, on the database of the test run. */
export type TestApp = {
  db: Database["db"];
  masterKey: string;
  delivery: Delivery;
  /** Replaces the configuration by what this YAML says. */
  configure(yaml: string): Config;
  /** Calls a route. Throws where the answer is not what the route's description says. */
  call(route: Route, call: TestCall): Promise<TestAnswer>;
  close(): Promise<void>;
};

const masterKey = "sk-master-key-of-the-tests-0123456789";

/** Sets the state of this process (configuration, keys, database, delivery) for route tests. */
export async function startApp(yaml = "{}"): Promise<TestApp> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-test-"));
  const masterKeys = ["encryption-key-of-the-tests-0123456789"];
  const keyring = makeKeyring(masterKeys);
  const queue = openLocalQueue({ path: join(dir, "queue.sqlite"), keyring });
  const database = await openDatabase({ url: testDatabaseUrl(), dataDir: null });
  const delivery = makeTestDelivery(queue);
  databaseState.set(database);
  keyringState.set(keyring);
  signerState.set(makeSigner(masterKeys));
  deliveryState.set(delivery);
  setMasterKeys([masterKey]);
  limiterState.set(makeMemoryLimiter());
  configure(yaml);
  return {
    db: database.db,
    masterKey,
    delivery,
    configure,
    call,
    async close() {
      await delivery.stop(0);
      await database.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Where the database of the test run is; set by `global-setup.ts`. */
export function testDatabaseUrl(): string {
  const url = process.env.SLUICE_TEST_DATABASE_URL;
  if (!url) throw new Error("There is no database: src/testing/global-setup.ts must run before the tests.");
  return url;
}

function configure(yaml: string): Config {
  const { config } = parseConfig(yaml, "test.yaml", {});
  configState.set(config);
  privateHostsState.set(parsePrivateHosts(config.general_settings.private_destination_hosts));
  return config;
}

async function call(
  route: Route,
  { path, method, body, params = {}, key, headers = {} }: TestCall,
): Promise<TestAnswer> {
  const bearer = key === undefined ? masterKey : key;
  const request = new Request(`http://127.0.0.1:4000${path}`, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const response = await route(request, { params: Promise.resolve(params), pattern: patternOf(path, params) });
  const text = await response.text();
  const answer = { status: response.status, headers: response.headers, text, body: z.json().parse(JSON.parse(text)) };
  assertDocumented(route, { ...answer, contentType: response.headers.get("content-type") ?? "" });
  return answer;
}

/** The pattern of a route that is called with these parameters. */
function patternOf(path: string, params: Record<string, string>): string {
  const [plain = ""] = path.split("?", 1);
  return Object.entries(params).reduce(
    (pattern, [name, value]) =>
      pattern.replace(`/${value}`, `/{${name}}`).replace(`/${encodeURIComponent(value)}`, `/{${name}}`),
    plain,
  );
}
