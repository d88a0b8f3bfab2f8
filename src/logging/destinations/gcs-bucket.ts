import { z } from "zod";
import { destination, type Destination } from "#logging/destinations/destination.ts";
import { loadCredentials } from "#logging/destinations/gcs-bucket-account.ts";
import { checkGcs } from "#logging/destinations/gcs-bucket-check.ts";
import { checkGcsVars } from "#logging/destinations/gcs-bucket-rules.ts";
import { sendToGcs } from "#logging/destinations/gcs-bucket-send.ts";
import { parseGcsBucket, parseGcsEndpoint, toGcsTarget } from "#logging/destinations/gcs-bucket-target.ts";
import { previewGcsUpload } from "#logging/destinations/gcs-bucket-upload.ts";

const text = z.string().trim();

/** LiteLLM's variables and ours, as strict as they are when somebody saves them. */
const GcsBucketVars = z.object({
  gcs_bucket_name: text
    .refine((name) => name === "" || parseGcsBucket(name) !== null, "must be a bucket's name, or bucket/folder")
    .optional()
    .meta({ title: "Bucket", description: "A bucket, or a bucket and folders: my-logs/llm/prod." }),
  gcs_service_account_json: text.optional().meta({
    title: "Service account key (JSON)",
    description: "The content of the key file. It needs storage.objects.create on the bucket; wins over a path.",
    secret: true,
  }),
  gcs_path_service_account: text.optional().meta({
    title: "Service account key (file)",
    description: "A path on the gateway's machine, inside general_settings.service_account_dirs.",
  }),
  gcs_layout: z.enum(["per_call", "batch"]).optional().meta({
    title: "Layout",
    description: "per_call (default): one JSON object for each call. batch: NDJSON objects of many calls.",
  }),
  gcs_api_endpoint: text
    .refine((endpoint) => endpoint === "" || parseGcsEndpoint(endpoint) !== null, "must be an http or https address")
    .optional()
    .meta({ title: "API endpoint", description: "Default https://storage.googleapis.com." }),
});

/** The same when stored records are sent: what is wrong is said by the delivery, and records wait. */
const StoredGcsBucketVars = GcsBucketVars.extend({
  gcs_bucket_name: z.string().optional(),
  gcs_layout: GcsBucketVars.shape.gcs_layout.catch(undefined),
  gcs_api_endpoint: z.string().optional(),
});

/**
 * Google Cloud Storage: StandardLoggingPayloads as objects in the bucket of the variables, created under names of their
 * own and never overwritten. Requests go out over `fetchUpstream`, so that an endpoint that a team chose passes the
 * address guard at every connection; Google's SDK only finds the credentials of the operator's machine.
 */
export const gcsBucket: Destination = {
  ...destination({
    label: "Google Cloud Storage",
    vars: StoredGcsBucketVars,
    limits: { batchRecordsMax: 200, batchBytesMax: 8 * 1024 * 1024 },
    targetVars: ["gcs_bucket_name", "gcs_api_endpoint"],
    env: { GCS_BUCKET_NAME: "gcs_bucket_name", GCS_PATH_SERVICE_ACCOUNT: "gcs_path_service_account" },
    checkVars: checkGcsVars,
    async deliver(records, vars, context) {
      const target = toGcsTarget(vars);
      const credentials = await loadCredentials(vars, { reach: context.reach, isGoogle: target.isGoogle });
      return sendToGcs(records, { target, credentials, context });
    },
    check: checkGcs,
    async preview(record, vars, context) {
      const target = toGcsTarget(vars);
      const credentials = await loadCredentials(vars, { reach: context.reach, isGoogle: target.isGoogle });
      return previewGcsUpload(record, { target, credentials, context });
    },
  }),
  vars: GcsBucketVars,
};
