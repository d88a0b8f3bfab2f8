import { randomBytes } from "node:crypto";
import { test as base, fakeModelConfig } from "../fixtures.ts";
import { makeDatabase, type SluiceOptions, type SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, mustAdmin, type makeProject } from "../rest/admin.ts";

export { expect } from "@playwright/test";

/** Gateways that share one database, and what each was started with. */
export type Gateways = { sluices: SluiceProcess[]; databaseUrl: string };

type GatewayFixtures = {
  /** A new, empty database on the PostgreSQL of this run; it goes with the test. */
  databaseUrl: string;
  /** Starts so many gateways on it, with the same keys; the URL that each connects to may be another for each. */
  startGateways: (count: number, options?: GatewayOptions) => Promise<SluiceProcess[]>;
};

export type GatewayOptions = {
  config?: SluiceOptions["config"];
  /** More environment variables, the same for all. */
  env?: Record<string, string>;
  urlOf?: (databaseUrl: string, index: number) => string;
};

/** Playwright's `test` for several gateways. */
export const test = base.extend<GatewayFixtures>({
  databaseUrl: async ({}, use) => {
    const database = await makeDatabase(process.env.DATABASE_URL);
    if (database === null) throw new Error("DATABASE_URL is not set: replicas share a PostgreSQL.");
    await use(database.url);
    await database.drop();
  },
  startGateways: async ({ databaseUrl, startSluice, fakes }, use) => {
    await use(async (count, { config = {}, env: more = {}, urlOf = (url: string) => url } = {}) => {
      const env = {
        SLUICE_MASTER_KEY: `sk-${randomBytes(16).toString("hex")}`,
        SLUICE_ENCRYPTION_KEY: randomBytes(32).toString("hex"),
        ...more,
      };
      const sluices: SluiceProcess[] = [];
      for (let index = 0; index < count; index += 1) {
        sluices.push(
          await startSluice({
            config: { ...fakeModelConfig(fakes), ...config },
            env,
            databaseUrl: urlOf(databaseUrl, index),
          }),
        );
      }
      return sluices;
    });
  },
});

/** What a gateway answered to a call: the status, and the `x-sluice-log` header with the record's id in it. */
export type Answer = { status: number; receipt: string; recordId: string | null };

/** Asks one gateway for a plain answer. A connection that breaks is status 0. */
export function ask(sluice: SluiceProcess, key: string, content: string): Promise<Answer> {
  return post(sluice, key, { content, stream: false });
}

/** `ask`, for a streamed answer. */
export function askStreamed(sluice: SluiceProcess, key: string, content: string): Promise<Answer> {
  return post(sluice, key, { content, stream: true });
}

async function post(
  sluice: SluiceProcess,
  key: string,
  { content, stream }: { content: string; stream: boolean },
): Promise<Answer> {
  try {
    const response = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content }], stream }),
    });
    const receipt = response.headers.get("x-sluice-log") ?? "";
    await response.text();
    return { status: response.status, receipt, recordId: /id=([0-9a-f-]+)/.exec(receipt)?.[1] ?? null };
  } catch {
    return { status: 0, receipt: "", recordId: null };
  }
}

/** A team that logs to a Langfuse project, made through one gateway, and a key of it. */
export async function makeTeam(
  sluice: SluiceProcess,
  { url, project }: { url: string; project: ReturnType<typeof makeProject> },
): Promise<{ teamId: string; key: string }> {
  const teamId = `team-of-${project.id}`;
  await mustAdmin(sluice, "/team/new", { team_id: teamId });
  await addLangfuse(sluice, teamId, { url, project });
  return { teamId, key: await makeKey(sluice, { team_id: teamId }) };
}

/** Attaches a Langfuse project to a team. */
export async function addLangfuse(
  sluice: SluiceProcess,
  teamId: string,
  { url, project }: { url: string; project: ReturnType<typeof makeProject> },
): Promise<void> {
  await mustAdmin(sluice, `/team/${teamId}/callback`, {
    callback_name: "langfuse",
    callback_vars: langfuseVars(url, project),
  });
}

/** The status of a record's deliveries, asked with a key of the record's team: 404 where there is no row of it. */
export async function deliveriesStatus(sluice: SluiceProcess, key: string, recordId: string): Promise<number> {
  const response = await fetch(`${sluice.url}/v1/logs/${recordId}/deliveries`, {
    headers: { authorization: `Bearer ${key}` },
  });
  await response.text();
  return response.status;
}
