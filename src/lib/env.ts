import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { nearestName } from "#lib/config-nearest-name.ts";
import { Email } from "#lib/email.ts";
import { AppError } from "#lib/errors.ts";
import { masterKeysMax, splitMasterKeys } from "#lib/master-key.ts";
import { passwordLengthMin } from "#lib/password.ts";
import { masterKeyLengthMin } from "#lib/seal.ts";

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

const httpUrl = z.string().refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol), {
  error: "is no address. Fix: use for example https://alerts.example.com/sluice.",
});

/** Each setting by its first name; the text after a rule says what is wrong and how to fix it. */
const Environment = z.object({
  PORT: z
    .string()
    .default("4000")
    .refine((port) => /^\d{1,5}$/.test(port) && Number(port) <= 65_535, {
      error: "is not a port number. Fix: use a whole number from 1 to 65535, or 0 for any free port, for example 4000.",
    })
    .transform(Number),
  HOST: z
    .string()
    .default("127.0.0.1")
    .refine((host) => /^[^\s/]+$/.test(host), {
      error: "is not a host name or address. Fix: use for example 127.0.0.1, or 0.0.0.0 to be reachable from outside.",
    }),
  SLUICE_CONFIG: z.string().default("./config.yaml"),
  SLUICE_DATA_DIR: z.string().default("./data"),
  DATABASE_URL: z
    .string()
    .refine((url) => /^postgres(ql)?:\/\//.test(url) && URL.canParse(url), {
      error:
        "is not a PostgreSQL URL. Fix: use postgres://user:password@host:5432/database, with special characters of " +
        "user and password as %XX, or remove it to use the embedded database.",
    })
    .optional(),
  SLUICE_QUEUE: z
    .string()
    .pipe(z.enum(["local", "database"], { error: "names no queue. Fix: use local or database, or remove it." }))
    .optional(),
  SLUICE_MASTER_KEY: z
    .string()
    .refine((text) => splitMasterKeys(text).every((key) => /^[\x21-\x7e]{4,}$/.test(key)), {
      error: "cannot be used as a key. Fix: use 4 characters or more, without spaces and without accents.",
    })
    .refine((text) => splitMasterKeys(text).length <= masterKeysMax, {
      error: "lists too many keys. Fix: list the new key and the former one, separated by a comma.",
    })
    .optional(),
  SLUICE_ENCRYPTION_KEY: z
    .string()
    .default("")
    .transform((text) => (text === "" ? [] : [...new Set(text.split(",").map((key) => key.trim()))]))
    .refine((keys) => keys.every((key) => key.length >= masterKeyLengthMin), {
      error:
        "has a key that is too short or empty. Fix: use 16 random characters or more, several keys separated by commas.",
    }),
  SLUICE_SHUTDOWN_SECONDS: z
    .string()
    .default("25")
    .refine((seconds) => /^\d{1,4}(\.\d+)?$/.test(seconds), {
      error: "is not a number of seconds from 0 to 9999. Fix: write it without a unit, for example 25.",
    })
    .transform(Number),
  SLUICE_DRAIN_SECONDS: z
    .string()
    .refine((seconds) => /^\d{1,4}(\.\d+)?$/.test(seconds), {
      error: "is not a number of seconds from 0 to 9999. Fix: write it without a unit, for example 5, or 0 for none.",
    })
    .transform(Number)
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, "is no address of Redis. Fix: write redis://host:6379 or rediss://host:6379.")
    .optional(),
  SLUICE_PRIVATE_DESTINATION_HOSTS: z.string().default("").transform(toList),
  NEXTAUTH_URL: z
    .string()
    .refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && new URL(url).pathname === "/", {
      error: "is not the address of the portal. Fix: use scheme and host alone, for example https://logs.example.com.",
    })
    .optional(),
  NEXTAUTH_SECRET: z
    .string()
    .refine((secret) => secret.length >= 16, {
      error: "is too short. Fix: use 32 random characters, or remove it: then it follows from the encryption key.",
    })
    .optional(),
  OIDC_ISSUER: z
    .string()
    .refine(isIssuer, {
      error:
        "is not the address of an OpenID Connect provider. Fix: use https, without query, for example " +
        "https://login.example.com/realms/main; /.well-known/openid-configuration is looked for below it.",
    })
    .optional(),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_CLIENT_SECRET: z.string().optional(),
  SLUICE_ADMIN_EMAIL: z
    .string()
    .refine((email) => Email.safeParse(email).success, {
      error: "is no e-mail address. Fix: use for example admin@example.com.",
    })
    .optional(),
  SLUICE_ADMIN_PASSWORD: z
    .string()
    .refine((password) => password.length >= passwordLengthMin, {
      error: `is too short. Fix: use ${String(passwordLengthMin)} characters or more, or remove it: then one is generated.`,
    })
    .optional(),
  WEBHOOK_URL: httpUrl.optional(),
  SLACK_WEBHOOK_URL: httpUrl.optional(),
  SMTP_HOST: z
    .string()
    .refine((host) => /^[^\s/:]+$/.test(host), {
      error: "is no host name or address. Fix: use for example smtp.example.com, the port goes into SMTP_PORT.",
    })
    .optional(),
  SMTP_PORT: z
    .string()
    .default("587")
    .refine((port) => /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535, {
      error: "is not a port number. Fix: use 587, or 465 for TLS from the start, or the port of your server.",
    })
    .transform(Number),
  SMTP_USERNAME: z.string().optional(),
  SMTP_PASSWORD: z.string().optional(),
  SMTP_SENDER_EMAIL: z
    .string()
    .refine((email) => Email.safeParse(email).success, {
      error: "is no e-mail address. Fix: use for example sluice@example.com.",
    })
    .optional(),
  SMTP_TLS: z
    .string()
    .default("true")
    .transform((flag) => flag.toLowerCase())
    .pipe(z.enum(["true", "false"], { error: "is neither true nor false. Fix: use one of them, or remove it." }))
    .transform((flag) => flag === "true"),
  SLUICE_LOG_LEVEL: z
    .string()
    .default("info")
    .transform((level) => level.toLowerCase())
    .pipe(z.enum(logLevels, { error: `is no log level. Fix: use one of ${logLevels.join(", ")}.` })),
});

/** The names of all settings, each by its first name. */
export const settingNames: readonly string[] = Object.keys(Environment.shape);

/** Other names that are accepted, with the setting that they stand for. */
const otherNames = { LITELLM_MASTER_KEY: "SLUICE_MASTER_KEY", LITELLM_SALT_KEY: "SLUICE_ENCRYPTION_KEY" } as const;

/** What the process was told by its environment and its command line. */
export type Settings = {
  /** 0 stands for any free port. */
  port: number;
  host: string;
  /** Absolute. */
  configFile: string;
  /** Absolute. */
  dataDir: string;
  /** Null: the embedded database in the data directory. */
  databaseUrl: string | null;
  /** Null: `database` where there is a PostgreSQL, else `local`. */
  queue: "local" | "database" | null;
  /** As `splitMasterKeys` reads it. Null if neither variable is set; the configuration file may have one. */
  masterKey: string | null;
  /** The first one seals, all of them open. Empty where none is set. */
  encryptionKeys: string[];
  /** The name under which they were set. */
  encryptionKeyName: string;
  /** How long a stop may take, all of it. */
  shutdownSeconds: number;
  /** How long new calls are still accepted after SIGTERM, a part of `shutdownSeconds`. */
  drainSeconds: number;
  /** Where rate limits are shared between replicas; null: each process counts for itself. */
  redisUrl: string | null;
  /** Host, host:port or CIDR, as written. */
  privateDestinationHosts: string[];
  /** Where people reach the portal; null: loopback and literal addresses. */
  portalUrl: string | null;
  /** Null: derived from the encryption key. */
  sessionSecret: string | null;
  /** The provider at which people may sign in beside their passwords; null: none. */
  oidc: { issuer: string; clientId: string; clientSecret: string } | null;
  /** The first administrator's sign-in; null: a default address, a generated password. */
  adminEmail: string | null;
  adminPassword: string | null;
  /** Where alerts can be sent; what is null is not set up. */
  alerts: {
    webhookUrl: string | null;
    slackWebhookUrl: string | null;
    smtp: {
      host: string;
      port: number;
      username: string | null;
      password: string | null;
      from: string;
      /** STARTTLS, or TLS from the start on port 465; without it nothing is encrypted. */
      isTls: boolean;
    } | null;
  };
  logLevel: (typeof logLevels)[number];
  /** One line each, without secrets. */
  warnings: string[];
};

/**
 * Reads the settings once, at the start. `args` is what follows the script on the command line. Empty values count as
 * absent. Throws one `AppError` with a line per problem: name, what is wrong, fix. Values are never shown.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>, args: readonly string[]): Settings {
  const warnings: string[] = [];
  const problems: string[] = [];
  const given = givenSettings(env, warnings);
  readConfigOption(args, given, { warnings, problems });
  warnOfUnknownNames(env, warnings);

  const parsed = Environment.safeParse(Object.fromEntries([...given].map(([name, { value }]) => [name, value])));
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    problems.push(`${given.get(name)?.writtenAs ?? name} ${issue.message}`);
  }
  problems.push(...missingOidc(given));
  if (!parsed.success || problems.length > 0) throw new AppError("bad_request", problems.join("\n"));

  const settings = parsed.data;
  const drainSeconds = settings.SLUICE_DRAIN_SECONDS ?? Math.min(5, settings.SLUICE_SHUTDOWN_SECONDS / 5);
  if (drainSeconds > 0 && drainSeconds >= settings.SLUICE_SHUTDOWN_SECONDS)
    throw new AppError("bad_request", drainTooLong);
  const masterKeys = splitMasterKeys(settings.SLUICE_MASTER_KEY ?? "");
  if (settings.SLUICE_MASTER_KEY && masterKeys.some((key) => key.length < 16) && !isLoopback(settings.HOST)) {
    warnings.push("The master key is short and HOST is reachable from outside. Fix: use 16 random characters or more.");
  }
  return {
    port: settings.PORT,
    host: settings.HOST,
    configFile: resolve(settings.SLUICE_CONFIG),
    dataDir: resolve(settings.SLUICE_DATA_DIR),
    databaseUrl: settings.DATABASE_URL ?? null,
    redisUrl: settings.REDIS_URL ?? null,
    queue: settings.SLUICE_QUEUE ?? null,
    masterKey: settings.SLUICE_MASTER_KEY ?? null,
    encryptionKeys: settings.SLUICE_ENCRYPTION_KEY,
    encryptionKeyName: given.get("SLUICE_ENCRYPTION_KEY")?.writtenAs ?? "SLUICE_ENCRYPTION_KEY",
    shutdownSeconds: settings.SLUICE_SHUTDOWN_SECONDS,
    drainSeconds,
    privateDestinationHosts: settings.SLUICE_PRIVATE_DESTINATION_HOSTS,
    portalUrl: settings.NEXTAUTH_URL ?? null,
    sessionSecret: settings.NEXTAUTH_SECRET ?? null,
    oidc: toOidc(settings),
    adminEmail: settings.SLUICE_ADMIN_EMAIL ?? null,
    adminPassword: settings.SLUICE_ADMIN_PASSWORD ?? null,
    alerts: toAlerts(settings),
    logLevel: settings.SLUICE_LOG_LEVEL,
    warnings,
  };
}

const drainTooLong =
  "SLUICE_DRAIN_SECONDS is not shorter than SLUICE_SHUTDOWN_SECONDS, which includes it: calls in flight would get no time " +
  "to end. Fix: use for example 5 with 25, or 0 for no drain.";

function toAlerts(settings: z.output<typeof Environment>): Settings["alerts"] {
  const { SMTP_HOST: host, SMTP_SENDER_EMAIL: from, SMTP_USERNAME: username, SMTP_PASSWORD: password } = settings;
  return {
    webhookUrl: settings.WEBHOOK_URL ?? null,
    slackWebhookUrl: settings.SLACK_WEBHOOK_URL ?? null,
    smtp:
      host === undefined || from === undefined
        ? null
        : {
            ...{ host, port: settings.SMTP_PORT, from, isTls: settings.SMTP_TLS },
            ...{ username: username ?? null, password: password ?? null },
          },
  };
}

/** Settings by their first name, with the name under which they were written. */
type GivenSettings = Map<string, { value: string; writtenAs: string }>;

function givenSettings(env: Readonly<Record<string, string | undefined>>, warnings: string[]): GivenSettings {
  const given: GivenSettings = new Map();
  for (const name of settingNames) {
    const value = env[name]?.trim();
    if (value) given.set(name, { value, writtenAs: name });
  }
  for (const [writtenAs, name] of Object.entries(otherNames)) {
    const value = env[writtenAs]?.trim();
    if (!value) continue;
    const first = given.get(name);
    if (!first) given.set(name, { value, writtenAs });
    else if (first.value !== value) warnings.push(`${writtenAs} is ignored, because ${name} is set to another value.`);
  }
  return given;
}

const oidcNames = ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"] as const;

/** Sign-in at a provider needs all three. */
function missingOidc(given: GivenSettings): string[] {
  const missing = oidcNames.filter((name) => !given.has(name));
  if (missing.length === oidcNames.length) return [];
  return missing.map((name) => `${name} is missing. Fix: set ${oidcNames.join(", ")} together, or none of them.`);
}

function toOidc(settings: z.output<typeof Environment>): Settings["oidc"] {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = settings;
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) return null;
  return { issuer, clientId, clientSecret };
}

/** On this machine a provider may do without https; elsewhere somebody on the way could say who people are. */
function isIssuer(text: string): boolean {
  const url = URL.parse(text);
  if (url?.search !== "" || url.hash !== "" || url.username !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

function readConfigOption(
  args: readonly string[],
  given: GivenSettings,
  { warnings, problems }: { warnings: string[]; problems: string[] },
): void {
  const options = { config: { type: "string" }, dev: { type: "boolean" } } as const;
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") {
      warnings.push("A word on the command line is not understood and ignored. Fix: name a file with --config FILE.");
    } else if (token.kind === "option" && token.name === "config") {
      if (token.value && !token.value.startsWith("-"))
        given.set("SLUICE_CONFIG", { value: token.value, writtenAs: "--config" });
      else problems.push("--config names no file. Fix: write --config FILE.");
    } else if (token.kind === "option" && !Object.hasOwn(options, token.name)) {
      const nearest = nearestName(token.name, Object.keys(options));
      const advice = nearest === null ? "" : ` Did you mean --${nearest}?`;
      warnings.push(`${token.rawName} is not a known option and is ignored.${advice}`);
    }
  }
}

function warnOfUnknownNames(env: Readonly<Record<string, string | undefined>>, warnings: string[]): void {
  for (const name of Object.keys(env).toSorted()) {
    if (!name.startsWith("SLUICE_") || settingNames.includes(name)) continue;
    const nearest = nearestName(name, settingNames) ?? nearestName(name.slice("SLUICE_".length), settingNames);
    const advice = nearest === null ? "" : ` Did you mean ${nearest}?`;
    warnings.push(`${name} is not a known setting and is ignored.${advice}`);
  }
}

function toList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
