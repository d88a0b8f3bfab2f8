import { UpstreamError } from "#lib/errors.ts";

/** The bucket that records go to, ready for requests. */
export type GcsTarget = {
  /** The base URL of the JSON API without a slash at its end. */
  url: string;
  /** The host as messages name it. */
  host: string;
  /** False where another server than Google's stands in, such as an emulator. */
  isGoogle: boolean;
  bucket: string;
  /** What stands before every object's name: empty, or folders with a slash at the end. */
  prefix: string;
  layout: "per_call" | "batch";
};

/** The variables as they are parsed for a delivery. */
export type GcsVars = {
  gcs_bucket_name?: string | undefined;
  gcs_path_service_account?: string | undefined;
  gcs_service_account_json?: string | undefined;
  gcs_layout?: "per_call" | "batch" | undefined;
  gcs_api_endpoint?: string | undefined;
};

const defaultEndpoint = "https://storage.googleapis.com";
const prefixCharactersMax = 512;

/** What LiteLLM says where no bucket is known; clients look for it. */
export const noBucket =
  "GCS_BUCKET_NAME is not set in the environment, but GCS Bucket is being used as a logging callback. " +
  "Please set 'GCS_BUCKET_NAME' in the environment.";

/** Works out where to store; throws `UpstreamError` with fault `destination` where bucket or endpoint are none. */
export function toGcsTarget(vars: GcsVars): GcsTarget {
  const name = vars.gcs_bucket_name?.trim() ?? "";
  if (name === "") throw misconfigured(noBucket);
  const place = parseGcsBucket(name);
  if (place === null) throw misconfigured("gcs_bucket_name is not a bucket's name, or a bucket with folders");
  const endpoint = vars.gcs_api_endpoint?.trim() ?? "";
  const url = parseGcsEndpoint(endpoint === "" ? defaultEndpoint : endpoint);
  if (url === null) throw misconfigured("gcs_api_endpoint is not an http or https address");
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
    host: url.host,
    isGoogle: url.protocol === "https:" && /(^|\.)googleapis\.com$/.test(url.hostname),
    ...place,
    layout: vars.gcs_layout ?? "per_call",
  };
}

/**
 * Splits `bucket/folder/sub` at the first slash, with or without `gs://`. Null where the bucket breaks Google's naming
 * rules or the folders cannot be part of an object's name.
 */
export function parseGcsBucket(text: string): { bucket: string; prefix: string } | null {
  const [bucket = "", ...rest] = text
    .trim()
    .replace(/^gs:\/\//, "")
    .split("/");
  const folders = rest.filter((folder) => folder !== "");
  const prefix = folders.map((folder) => `${folder}/`).join("");
  if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(bucket)) return null;
  if (prefix.length > prefixCharactersMax || /[\u0000-\u001f\u007f]/.test(prefix) || !prefix.isWellFormed())
    return null;
  if (folders.some((folder) => folder === "." || folder === "..") || prefix.startsWith(".well-known/")) return null;
  return { bucket, prefix };
}

/** The URL of an API endpoint, https where no scheme is given; null where it is none. */
export function parseGcsEndpoint(endpoint: string): URL | null {
  const text = endpoint.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return null;
  return url.search === "" && url.hash === "" ? url : null;
}

/** The error for variables with which nothing can be sent: records wait until somebody corrects them. */
export function misconfigured(message: string, cause?: unknown): UpstreamError {
  return new UpstreamError(0, message, { fault: "destination", cause });
}
