import { Storage } from "@google-cloud/storage";
import OpenAI from "openai";
import { startFakeGcs } from "../fakes/gcs.ts";
import { startGcsEmulator } from "../fakes/gcs-emulator.ts";
import { expect, test } from "../fixtures.ts";
import { makeKey, mustAdmin, until } from "./admin.ts";

/** A stored object, read by Google's own client. */
type Stored = { name: string; contentType: unknown; metadata: unknown; payloads: Record<string, unknown>[] };

async function readBucket(storage: Storage, bucket: string): Promise<Stored[]> {
  const [files] = await storage.bucket(bucket).getFiles();
  return Promise.all(
    files.map(async (file) => {
      const [content] = await file.download();
      const payloads = content
        .toString("utf8")
        .split("\n")
        .map((line) => toPayload(JSON.parse(line)));
      const { contentType, metadata } = file.metadata;
      return { name: file.name, contentType, metadata, payloads };
    }),
  );
}

function toPayload(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new Error("A payload is no object.");
  return { ...value };
}

function countPayloads(stored: readonly Stored[]): number {
  return stored.reduce((sum, { payloads }) => sum + payloads.length, 0);
}

test("@long calls are stored in an emulator of Google Cloud Storage that we did not write, and Google's own client reads them", async ({
  startSluice,
  fakes,
}) => {
  const emulator = await startGcsEmulator();
  // The emulator asks for no credentials: service accounts get their tokens from the fake.
  const tokens = await startFakeGcs();
  try {
    const params = { api_base: fakes.openai.baseUrl, api_key: "sk-u", input_cost_per_token: 0.001 };
    const sluice = await startSluice({
      config: {
        model_list: [
          { model_name: "fake-model", litellm_params: { ...params, model: "openai/x" } },
          { model_name: "broken", litellm_params: { ...params, model: "openai/error-401" } },
        ],
        general_settings: { google_token_uris: [tokens.tokenUri] },
      },
    });
    const clients = new Map<string, OpenAI>();
    for (const [team, layout] of [
      ["each", {}],
      ["batches", { gcs_layout: "batch" }],
    ] as const) {
      await mustAdmin(sluice, "/team/new", { team_id: team });
      await mustAdmin(sluice, `/team/${team}/callback`, {
        callback_name: "gcs_bucket",
        callback_vars: {
          gcs_bucket_name: `${team}-logs/llm/prod`,
          gcs_service_account_json: tokens.addTenant(`${team}-logs`).json,
          gcs_api_endpoint: emulator.url,
          ...layout,
        },
      });
      const apiKey = await makeKey(sluice, { team_id: team });
      clients.set(team, new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 }));
    }
    const ask = async (team: string, content: string, model = "fake-model"): Promise<string> => {
      const client = clients.get(team);
      if (!client) throw new Error("There is no such team.");
      return (await client.chat.completions.create({ model, messages: [{ role: "user", content }] })).id;
    };
    const odd = "Ünïcode 🙂, a line\nbreak and --sluice-object-boundary-- in it";
    const answered = await ask("each", odd);
    await expect(ask("each", "fails", "broken")).rejects.toThrow(OpenAI.AuthenticationError);
    const batched = await Promise.all(Array.from({ length: 20 }, (_, index) => ask("batches", `call ${index}`)));

    const storage = new Storage({ apiEndpoint: emulator.url, projectId: "demo" });
    let each: Stored[] = [];
    let batches: Stored[] = [];
    await until("every call is stored", async () => {
      each = await readBucket(storage, "each-logs");
      batches = await readBucket(storage, "batches-logs");
      return countPayloads(each) >= 2 && countPayloads(batches) >= 20;
    });

    expect(each).toHaveLength(2);
    const success = each.find(({ payloads }) => payloads[0]?.status === "success");
    const failure = each.find(({ payloads }) => payloads[0]?.status === "failure");
    expect(success?.name).toMatch(
      new RegExp(`^llm/prod/\\d{4}-\\d\\d-\\d\\d/${answered}_[0-9a-f-]{36}-[0-9a-f]{8}\\.json$`),
    );
    expect(success?.payloads).toMatchObject([{ id: answered, messages: [{ role: "user", content: odd }] }]);
    expect(success).toMatchObject({ contentType: "application/json", metadata: { team_id: "each", schema: "slp-1" } });
    expect(failure?.name).toMatch(/^llm\/prod\/\d{4}-\d\d-\d\d\/failure_/);
    expect(failure?.payloads).toMatchObject([{ status: "failure", response: {}, response_cost: 0 }]);

    expect(batches.length).toBeLessThan(20);
    for (const { name, contentType, metadata } of batches) {
      expect(name).toMatch(/^llm\/prod\/\d{4}-\d\d-\d\d\/batch-[0-9a-f]{32}\.ndjson$/);
      expect({ contentType, metadata }).toMatchObject({
        contentType: "application/x-ndjson",
        metadata: { team_id: "batches", schema: "slp-1" },
      });
    }
    const storedIds = batches.flatMap(({ payloads }) => payloads.map(({ id }) => String(id)));
    expect(storedIds.toSorted()).toEqual(batched.toSorted());
  } finally {
    await tokens.close();
    await emulator.close();
  }
});
