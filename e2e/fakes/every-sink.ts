import { startFakeDatadog } from "./datadog.ts";
import { startFakeGcs } from "./gcs.ts";
import { startFakeLangfuse } from "./langfuse.ts";
import { startFakeLangsmith } from "./langsmith.ts";
import { startFakeCollector } from "./otlp.ts";
import { type Recorder, startRecorder } from "./recorder.ts";
import { startFakeWebhook } from "./webhook.ts";

/** A way to configure a destination: what stands in for it, and the variables with which it is reached at an address. */
export type SinkVariant = {
  callbackName: string;
  title: string;
  url: string;
  vars(url: string): Record<string, string>;
};

/** A sink of its own for every destination that a team can set, in every form that a destination has. */
export type EverySink = {
  variants: readonly SinkVariant[];
  /** For `general_settings.google_token_uris`. */
  tokenUris: readonly string[];
  /** A recorder in front of a variant's sink: one more address that behaves as it does. */
  record(variant: SinkVariant): Promise<Recorder>;
  close(): Promise<void>;
};

const project = { id: "p", name: "Project", publicKey: "pk-lf-every", secretKey: "sk-lf-every-secret" };
const secret = project.secretKey;

/** Starts one fake for each. */
export async function startEverySink(): Promise<EverySink> {
  // Clients choose their own ids here, which Langfuse takes as they are.
  const langfuse = await startFakeLangfuse({ projects: [project], verbatimIds: true });
  const oldLangfuse = await startFakeLangfuse({ projects: [project], version: "3.0.0" });
  const gcs = await startFakeGcs();
  const datadog = await startFakeDatadog({ apiKeys: [secret] });
  const langsmith = await startFakeLangsmith({ apiKeys: [secret] });
  const collector = await startFakeCollector({ headers: { "x-key": secret } });
  const webhook = await startFakeWebhook({ secret });
  const pair = { langfuse_public_key: project.publicKey, langfuse_secret_key: secret };
  const bucket = { gcs_bucket_name: "every-logs", gcs_service_account_json: gcs.addTenant("every-logs").json };
  const otel = { otel_headers: `x-key=${secret}` };
  const variant = (
    callbackName: string,
    { title = callbackName, url, vars }: { title?: string; url: string; vars: SinkVariant["vars"] },
  ): SinkVariant => ({ callbackName, title, url, vars });
  const variants = [
    variant("langfuse", { url: langfuse.url, vars: (url) => ({ ...pair, langfuse_host: url }) }),
    variant("langfuse", {
      title: "langfuse, ingestion",
      url: oldLangfuse.url,
      vars: (url) => ({ ...pair, langfuse_host: url, langfuse_wire: "ingestion" }),
    }),
    variant("langfuse_otel", { url: langfuse.url, vars: (url) => ({ ...pair, langfuse_host: url }) }),
    variant("gcs_bucket", { url: gcs.url, vars: (url) => ({ ...bucket, gcs_api_endpoint: url }) }),
    variant("gcs_bucket", {
      title: "gcs_bucket, batch",
      url: gcs.url,
      vars: (url) => ({ ...bucket, gcs_api_endpoint: url, gcs_layout: "batch" }),
    }),
    variant("datadog", { url: datadog.url, vars: (url) => ({ dd_api_key: secret, dd_base_url: url }) }),
    variant("langsmith", {
      url: langsmith.url,
      vars: (url) => ({ langsmith_api_key: secret, langsmith_base_url: url }),
    }),
    variant("otel", { url: collector.url, vars: (url) => ({ ...otel, otel_endpoint: url }) }),
    variant("otel", {
      title: "otel, protobuf",
      url: collector.url,
      vars: (url) => ({ ...otel, otel_endpoint: url, otel_protocol: "http/protobuf" }),
    }),
    variant("webhook", { url: webhook.url, vars: (url) => ({ webhook_url: `${url}/logs`, webhook_secret: secret }) }),
  ];
  const recorders: Recorder[] = [];
  const fakes = [langfuse, oldLangfuse, gcs, datadog, langsmith, collector, webhook];
  return {
    variants,
    tokenUris: [gcs.tokenUri],
    async record({ url }) {
      const recorder = await startRecorder(url);
      recorders.push(recorder);
      return recorder;
    },
    async close() {
      await Promise.all([...recorders, ...fakes].map((server) => server.close()));
    },
  };
}
