import "#lib/v8-flags.ts";
import { hkdfSync } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureFirstAdministrator, type FirstAdministrator } from "#auth/first-administrator.ts";
import { portalSettingsState } from "#auth/portal-settings.ts";
import { loadRoutes, makeFetch } from "#http/dispatch.ts";
import { listen, type PageHandler } from "#http/listen.ts";
import { pathOf } from "#http/route.ts";
import { makeMemoryCache } from "#gateway/cache/memory-cache.ts";
import { makeRedisCache } from "#gateway/cache/redis-cache.ts";
import { responseCacheState } from "#gateway/cache/response-cache.ts";
import { limiterState } from "#gateway/limits/admit-call.ts";
import { makeMemoryLimiter } from "#gateway/limits/memory-limiter.ts";
import { makeRedisLimiter } from "#gateway/limits/redis-limiter.ts";
import { addSpend } from "#gateway/spend/add-spend.ts";
import { startKeepingUsage } from "#gateway/spend/keep-usage.ts";
import { openSpendJournal, spendJournalState } from "#gateway/spend/spend-journal.ts";
import { describeUnusable, makeModelTable, modelsState } from "#gateway/models.ts";
import { parsePrivateHosts, privateHostsState } from "#lib/address-private-hosts.ts";
import { openChangeFeed, type ChangeFeed } from "#lib/change-feed.ts";
import { configState, loadConfig, type LoadedConfig } from "#lib/config.ts";
import { embeddedDatabasePath, queueFilePath, takeDataDir } from "#lib/data-dir.ts";
import { databaseState, openDatabase, type Database } from "#lib/db.ts";
import { readSettings, type Settings } from "#lib/env.ts";
import { AppError } from "#lib/errors.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { currentLogger, setLogger, type Logger } from "#lib/logger.ts";
import { setMasterKeys } from "#lib/master-key.ts";
import { startPruning } from "#lib/prune-changes.ts";
import { countOtherReplicas, replicaIdState } from "#lib/replicas.ts";
import { databaseUrl, readSecrets, type Secrets } from "#lib/secrets.ts";
import { version } from "#lib/version.ts";
import { announceFirstStart } from "#lib/first-start.ts";
import { trpcAnswerState } from "#trpc/answer-state.ts";
import { answerTrpc, trpcEndpoint } from "#trpc/answer-trpc.ts";
import { deliveryState, type Delivery } from "#logging/delivery.ts";
import { answerDelivery } from "#logging/answer-delivery.ts";
import { assertKindsKnown, assertTeamSwitchesAct } from "#logging/callback-settings.ts";
import { checkCallbackNames } from "#logging/check-callback-names.ts";
import { startDeliveryThread } from "#logging/delivery-thread.ts";
import { operatorVarsState } from "#logging/resolve-callback.ts";
import { queuePathState } from "#logging/queue/local-reports.ts";
import { unlockStored } from "#logging/sealed/unlock.ts";
import { readAlertRules, startAlerts } from "#teams/alerts/start-alerts.ts";
import { followPolicy } from "#teams/follow-policy.ts";
import { startKeepingSuppressedCounts } from "#teams/keep-suppressed-counts.ts";
import { readDisables } from "#teams/read-disables.ts";
import { makeStopper, type Stopper } from "#stop-gateway.ts";

/** `npm start`: the wire's routes on the lean adapter, Next.js for the pages, the delivery thread beside both. */

const isDevelopment = process.argv.includes("--dev");

/** Known once the gateway serves. */
let stopper: Stopper | null = null;

// A terminal that closes sends SIGHUP.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  process.on(signal, () => {
    // Before it serves there is nothing to lose. As the first process of a container it would ignore an unhandled signal.
    if (stopper === null) process.exit(0);
    stopper.signal(signal);
  });
}

await start().catch((error: unknown) => {
  if (error instanceof AppError) process.stderr.write(`Sluice cannot start:\n${error.message}\n`);
  else
    process.stderr.write(
      `Sluice cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  process.exit(1);
});

async function start(): Promise<void> {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const settings = readSettings(process.env, process.argv.slice(2));
  const logger = setLogger(settings.logLevel);
  const loaded = loadConfig(settings.configFile, process.env);
  const { config } = loaded;
  const alerts = readAlertRules(config, settings.alerts);
  assertKindsKnown(config, loaded.locate);
  assertTeamSwitchesAct(config, loaded.locate);
  const warnings = [...settings.warnings, ...loaded.warnings, ...setModels(config), ...checkCallbackNames(config)];
  for (const warning of [...warnings, ...alerts.warnings]) logger.warn({ setting: true }, warning);
  configState.set(config);
  openStores(config, settings);
  const queueDatabaseUrl = queueUrl(settings, loaded);
  const dataDir = takeDataDir(settings.dataDir);
  const secrets = readSecrets(settings, loaded, dataDir);
  setMasterKeys(secrets.masterKeys);
  const privateHosts = [...config.general_settings.private_destination_hosts, ...settings.privateDestinationHosts];
  privateHostsState.set(parsePrivateHosts(privateHosts));
  operatorVarsState.set({ local_files: { local_files_dir: join(settings.dataDir, "logs") } });

  const url = databaseUrl(settings, loaded);
  const database = await openUnlocked(settings, url, secrets);
  databaseState.set(database);
  spendJournalState.set(
    openSpendJournal(join(settings.dataDir, "spend"), (batchId, spent) => addSpend(database.db, batchId, spent)),
  );
  await startPruning(database.db);
  // Before anything is read: who waits for a confirmation from now on waits for this process too.
  const feed = url === null ? null : await openChangeFeed({ connectionString: url });
  if (feed !== null) replicaIdState.set(feed.replicaId);
  if (feed !== null && settings.redisUrl === null) await warnOfLocalLimits(database.db, logger);
  const delivery = await startDelivery({
    settings,
    needsLease: feed !== null,
    queueDatabaseUrl,
    privateHosts,
    masterKeys: secrets.encryptionKeys,
    database,
  });
  deliveryState.set(delivery);
  feed?.follow({ apply: (changes) => followPolicy(database.db, changes), onLease: delivery.extendLease });

  const counting = [startKeepingSuppressedCounts(database.db), startKeepingUsage(database.db)];
  const alerting = { delivery, rules: alerts.rules, channels: settings.alerts };
  const stopAlerts = startAlerts(database.db, alerting);
  const administrator = await preparePortal(settings, secrets, database);
  const listening = await listen(withTrpc(makeFetch(await loadRoutes())), makePages(), settings);
  const stopper = makeStopper({
    shutdownMs: settings.shutdownSeconds * 1000,
    drainMs: settings.drainSeconds * 1000,
    listening,
    delivery,
    storeCounts: () => Promise.all([stopAlerts(), ...counting.map((stop) => stop()), spendJournalState.get().close()]),
    closeRest: () => closeRest(feed, database),
    release: () => {
      dataDir.release();
    },
  });
  endWith(stopper);
  logger.info({ url: listening.url, database: database.kind, version }, "ready");
  announceFirstStart({
    url: listening.url,
    masterKey: secrets.isMasterKeyNew ? (secrets.masterKeys[0] ?? null) : null,
    administrator,
    dataDir: dataDir.path,
  });
}

/** Makes the models ready to be called, and gives a warning for each that never can be. */
function setModels(config: LoadedConfig["config"]): string[] {
  const models = makeModelTable(config, process.env);
  modelsState.set(models);
  return models.unusable.map(describeUnusable);
}

/** The database, once its schema is up to date and the encryption keys are proved to fit what is stored. */
async function openUnlocked(settings: Settings, url: string | null, secrets: Secrets): Promise<Database> {
  queuePathState.set(queueFilePath(settings.dataDir));
  const database = await openDatabase({ url, dataDir: embeddedDatabasePath(settings.dataDir) });
  database.onFailure((error) => {
    failWith("the embedded database ended", error);
  });
  try {
    await unlockStored({
      db: database.db,
      databaseUrl: url,
      queuePath: queueFilePath(settings.dataDir),
      given: { keys: secrets.encryptionKeys, from: secrets.encryptionKeyFrom, isNew: secrets.isEncryptionKeyNew },
      onAccepted: secrets.keep,
    });
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/** What can only be closed when nothing asks it any more. */
async function closeRest(feed: ChangeFeed | null, database: Database): Promise<void> {
  responseCacheState.find()?.close();
  await Promise.all([limiterState.get().close(), closeUpstreams(), feed?.stop()]);
  await database.close();
}

/** What counts limits, and where config.yaml switches it on the cache: in Redis for all gateways, else in this process. */
function openStores(config: LoadedConfig["config"], { redisUrl }: Settings): void {
  limiterState.set(redisUrl === null ? makeMemoryLimiter() : makeRedisLimiter(redisUrl));
  const { cache, cache_params: params } = config.litellm_settings;
  if (!cache) return;
  if (params.type === "redis" && redisUrl === null) {
    throw new AppError("bad_request", "litellm_settings.cache_params.type is redis. Fix: set REDIS_URL, or use local.");
  }
  const isLocal = redisUrl === null || params.type === "local";
  responseCacheState.set(isLocal ? makeMemoryCache() : makeRedisCache(redisUrl));
}

/** Gateways that share a database but no Redis count limits each for itself, so that together they let more through. */
async function warnOfLocalLimits(db: Database["db"], logger: Logger): Promise<void> {
  const others = await countOtherReplicas(db);
  if (others === 0) return;
  const message =
    "REDIS_URL is not set, and other gateways run on this database: each counts rpm, tpm and parallel requests for itself, " +
    "so that a limit holds per gateway. Fix: set REDIS_URL to one Redis for all of them.";
  logger.warn({ setting: true, others }, message);
}

/** The PostgreSQL that the queue lies in; null where it is local. */
function queueUrl(settings: Settings, loaded: LoadedConfig): string | null {
  const url = databaseUrl(settings, loaded);
  if (settings.queue === "database" && url === null) {
    throw new AppError(
      "bad_request",
      "SLUICE_QUEUE is database, and there is no PostgreSQL. Fix: set DATABASE_URL, or use local, or remove it.",
    );
  }
  return settings.queue === "local" ? null : url;
}

/**
 * Makes sign-in and what pages read ready, and the first administrator where there is none yet. Sign-in reads its own
 * address from the environment where it is set, else from each request, which is checked.
 */
async function preparePortal(
  { portalUrl, sessionSecret, oidc, adminEmail: email, adminPassword: password }: Settings,
  { encryptionKeys }: Secrets,
  { db }: Database,
): Promise<FirstAdministrator | null> {
  process.env.AUTH_TRUST_HOST = "1";
  trpcAnswerState.set(answerTrpc);
  const derived = encryptionKeys.map((key) =>
    Buffer.from(hkdfSync("sha256", key, "", "sluice sessions", 32)).toString("base64url"),
  );
  const [secret = "", ...formerSecrets] = sessionSecret === null ? derived : [sessionSecret];
  portalSettingsState.set({ secret, formerSecrets, url: portalUrl === null ? null : new URL(portalUrl), oidc });
  return ensureFirstAdministrator(db, { email, password });
}

/** tRPC beside the wire, on the same port. */
function withTrpc(wire: ReturnType<typeof makeFetch>): ReturnType<typeof makeFetch> {
  return (request) => (pathOf(request.url).startsWith(`${trpcEndpoint}/`) ? answerTrpc(request) : wire(request));
}

async function startDelivery(parts: {
  settings: Settings;
  needsLease: boolean;
  queueDatabaseUrl: string | null;
  privateHosts: readonly string[];
  masterKeys: readonly string[];
  database: Database;
}): Promise<Delivery> {
  const { settings, needsLease, queueDatabaseUrl, privateHosts, masterKeys, database } = parts;
  const data = {
    queuePath: queueFilePath(settings.dataDir),
    queueDatabaseUrl,
    masterKeys,
    config: configState.get(),
    privateHosts,
    ...(await readDisables(database.db)),
    needsLease,
    logLevel: settings.logLevel,
  };
  return startDeliveryThread(data, answerDelivery(database.db, process.env), (error) => {
    failWith("the delivery thread ended; calls cannot be logged any more", error);
  });
}

/** Next.js, loaded with the first page that somebody asks for: a gateway without visitors does not pay for it. */
function makePages(): PageHandler {
  let ready: Promise<PageHandler> | null = null;
  return async (request, response) => {
    ready ??= import("next").then(async ({ default: next }) => {
      const pages = next({ dev: isDevelopment, dir: join(import.meta.dirname, "..") });
      await pages.prepare();
      return pages.getRequestHandler();
    });
    await (
      await ready
    )(request, response);
  };
}

/** From now on signals stop the process in order, and so does an error that nobody caught. */
function endWith(made: Stopper): void {
  stopper = made;
  process.on("uncaughtException", (error) => {
    made.fail("an error was not caught", error);
  });
}

/** Ends the process, in order if it was started already: calls in flight are still logged if that is possible. */
function failWith(reason: string, error: Error): void {
  if (stopper !== null) stopper.fail(reason, error);
  else {
    currentLogger().fatal({ error: error.message }, reason);
    process.exit(1);
  }
}
