import { unusableModels } from "#gateway/choose-deployment.ts";
import { readReadiness, Readiness } from "#http/readiness.ts";
import { route } from "#http/route.ts";
import { version } from "#lib/version.ts";
import { readsEverything } from "#keys/rights.ts";
import { listGlobalCallbacks } from "#logging/list-global-callbacks.ts";
import { keyringState } from "#lib/seal.ts";
import { DamageReport, queuePathState, readReports } from "#logging/queue/local-reports.ts";
import { unopenedValuesState } from "#logging/sealed/unopened-values.ts";
import { z } from "zod";

const Answer = Readiness.extend({
  cache: z.null(),
  litellm_version: z.string(),
  success_callbacks: z.array(z.string()),
  failure_callbacks: z.array(z.string()),
  unusable_models: z
    .array(z.object({ model_name: z.string(), reason: z.string() }))
    .describe("Entries of `model_list` that cannot be called; those that the caller may use."),
  queue_file_damages: z
    .array(DamageReport)
    .describe("Times that the queue file was found damaged or lost, the newest last. For administrators."),
  encryption: z.object({
    /** The ids of the configured keys, the one that seals first. */
    key_ids: z.array(z.string()),
    /** Stored values that none of them opens. */
    unopened: z.array(z.object({ kind: z.string(), key_id: z.string(), reason: z.string(), count: z.int() })),
  }),
});

/** Readiness with what only holders of a key may know. */
export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "Read readiness, with what only holders of a key may know",
      tag: "Health",
      answer: Answer,
      refusals: { 503: "The database cannot be reached, or the gateway stops." },
    },
  },
  async ({ db, caller }) => {
    const { success, failure, success_and_failure } = listGlobalCallbacks();
    return {
      ...(await readReadiness(db)),
      cache: null,
      litellm_version: version,
      success_callbacks: [...success, ...success_and_failure],
      failure_callbacks: [...failure, ...success_and_failure],
      unusable_models: unusableModels(caller).map(({ modelName, reason }) => ({ model_name: modelName, reason })),
      queue_file_damages: readsEverything(caller) ? readDamages() : [],
      encryption: describeEncryption(),
    };
  },
);

/** Tests have no queue file. */
function readDamages(): DamageReport[] {
  const path = queuePathState.find();
  return path === undefined ? [] : readReports(path);
}

function describeEncryption(): z.input<typeof Answer>["encryption"] {
  return {
    key_ids: [...keyringState.get().keyIds],
    unopened: (unopenedValuesState.find() ?? []).map(({ kind, keyId, reason, count }) => ({
      kind,
      key_id: keyId,
      reason: reason ?? "",
      count,
    })),
  };
}
