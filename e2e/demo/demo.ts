import { randomBytes } from "node:crypto";
import { startFakeGcs } from "../fakes/gcs.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { startFakeOpenai } from "../fakes/openai.ts";
import { langfuseVars, makeProject, mustAdmin } from "../rest/admin.ts";
import { startSluiceProcess, type SluiceProcess } from "../sluice-process.ts";
import { ageDemo } from "./age-demo.ts";
import { callAsTeams, settle } from "./demo-traffic.ts";

/** A gateway with two teams and a week behind it, and its stand-ins for vendors. */
export type Demo = {
  sluice: SluiceProcess;
  /** The administrator's sign-in. */
  email: string;
  password: string;
  /** Ends it all, and removes what it left. */
  dispose(): Promise<void>;
};

const email = "ada@example.com";

/**
 * Starts a gateway on a data directory of its own, with destinations that lead to fakes on this machine, and gives it a
 * week of calls: delivered logs, failed calls, dead letters, a destination that is down. Nobody else's data is touched,
 * and nothing leaves the machine.
 */
export async function startDemo(): Promise<Demo> {
  const [openai, langfuse, gcs] = await Promise.all([startFakeOpenai(), startFakeLangfuse(), startFakeGcs()]);
  const closeFakes = (): Promise<unknown> => Promise.all([openai.close(), langfuse.close(), gcs.close()]);
  // The demo's database is the embedded one, whatever else this machine uses.
  delete process.env.DATABASE_URL;
  const password = randomBytes(9).toString("base64url");
  try {
    const sluice = await startSluiceProcess({
      config: makeConfig(openai.baseUrl, gcs.tokenUri),
      env: { SLUICE_ADMIN_EMAIL: email, SLUICE_ADMIN_PASSWORD: password, SLUICE_LOG_LEVEL: "warn" },
    });
    const dispose = async (): Promise<void> => {
      await sluice.dispose();
      await closeFakes();
    };
    try {
      const projects = { search: makeProject("search"), support: makeProject("support") };
      for (const project of Object.values(projects)) langfuse.addProject(project);
      const serviceAccount = gcs.addTenant("search-llm-logs").json;
      const keys = await makeTeams(sluice, {
        search: [
          { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, projects.search) },
          {
            callback_name: "gcs_bucket",
            callback_vars: {
              gcs_bucket_name: "search-llm-logs",
              gcs_service_account_json: serviceAccount,
              gcs_api_endpoint: gcs.url,
            },
          },
        ],
        support: [
          { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, projects.support) },
          // Nobody listens there: a destination that is down.
          { callback_name: "webhook", callback_vars: { webhook_url: "http://127.0.0.1:9/llm-logs" } },
        ],
      });
      await callAsTeams(sluice, { keys, langfuse, refusedProjectId: projects.support.id });
      await settle(sluice, ["search", "support"]);
      await sluice.stop();
      await ageDemo(sluice.dataDir);
      await sluice.restart();
      return { sluice, email, password, dispose };
    } catch (error) {
      await dispose();
      throw error;
    }
  } catch (error) {
    await closeFakes();
    throw error;
  }
}

function makeConfig(apiBase: string, tokenUri: string): Record<string, unknown> {
  const params = { api_base: apiBase, api_key: "sk-fake-upstream" };
  const model = (name: string, answers: string, [input, output]: [number, number]): object => ({
    model_name: name,
    litellm_params: {
      ...params,
      model: `openai/${answers}`,
      input_cost_per_token: input / 1e6,
      output_cost_per_token: output / 1e6,
    },
  });
  return {
    model_list: [
      model("assistant-large", "large", [250, 1_000]),
      model("assistant-small", "small", [15, 60]),
      model("summarizer", "summarizer", [40, 160]),
      model("summarizer-preview", "error-500", [40, 160]),
    ],
    general_settings: { google_token_uris: [tokenUri], private_destination_hosts: ["127.0.0.1"] },
    router_settings: { num_retries: 0 },
  };
}

/** Makes the teams with people and keys. Returns the keys by team. */
async function makeTeams(
  sluice: SluiceProcess,
  callbacks: Record<"search" | "support", readonly object[]>,
): Promise<Record<"search" | "support", string[]>> {
  const keys: Record<"search" | "support", string[]> = { search: [], support: [] };
  await mustAdmin(sluice, "/team/new", { team_id: "search", team_alias: "Search", max_budget: 500 });
  await mustAdmin(sluice, "/team/new", { team_id: "support", team_alias: "Support assistant", redaction: "content" });
  const members = { search: ["grace", "linus", "margaret"], support: ["barbara", "edsger"] };
  const names = { search: ["crawler", "ranking", "nightly-evaluation"], support: ["chat-widget", "ticket-triage"] };
  for (const team of ["search", "support"] as const) {
    for (const callback of callbacks[team]) await mustAdmin(sluice, `/team/${team}/callback`, callback);
    for (const [position, name] of members[team].entries()) {
      const member = { role: position === 0 ? "admin" : "user", user_email: `${name}@example.com` };
      await mustAdmin(sluice, "/team/member_add", { team_id: team, member });
    }
    for (const [position, name] of names[team].entries()) {
      const limits = position === 0 ? { max_budget: 50, rpm_limit: 6_000 } : { duration: "90d" };
      const made = await mustAdmin(sluice, "/key/generate", { team_id: team, key_alias: name, ...limits });
      keys[team].push(String(made["key"]));
    }
  }
  return keys;
}
