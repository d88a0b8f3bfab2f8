import { readFile } from "node:fs/promises";
import type { Deployment } from "#gateway/models.ts";
import { UpstreamError } from "#lib/errors.ts";
import { parseServiceAccount } from "#lib/google-account.ts";
import { findGoogleToken, findMachineToken } from "#lib/google-token.ts";

const scope = "https://www.googleapis.com/auth/cloud-platform";
const known = new Set(["vertex_project", "vertex_location", "vertex_credentials"]);

/** The address of a project's location at Vertex AI, without a slash at its end, or what is missing for it. */
export function locateVertex(
  vendorParams: Readonly<Record<string, string>>,
): { location: string } | { problem: string } {
  const unknown = Object.keys(vendorParams).find((name) => name.startsWith("vertex_") && !known.has(name));
  if (unknown !== undefined) return { problem: `has ${unknown}, which is not known. Fix: remove it.` };
  const { vertex_project: project, vertex_location: location, vertex_credentials: credentials } = vendorParams;
  if (project === undefined) return { problem: "has no project. Fix: add vertex_project:." };
  if (location === undefined) return { problem: "has no location. Fix: add vertex_location:, for example global." };
  if (credentials?.trim().startsWith("{") === true && parseServiceAccount(credentials) === null) {
    return {
      problem: "has vertex_credentials that are no service account's key. Fix: give the JSON of its key file.",
    };
  }
  const host = location === "global" ? "aiplatform.googleapis.com" : `${location}-aiplatform.googleapis.com`;
  return { location: `https://${host}/v1/projects/${project}/locations/${location}` };
}

/** The token of the service account that config.yaml gives, as JSON or as a file; without one, the machine's own. */
export async function findVertexToken(
  { vendorParams: { vertex_credentials: given } }: Pick<Deployment, "vendorParams">,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (given === undefined) {
    const token = await findMachineToken(signal);
    if (token === null) throw new UpstreamError(0, "This machine has no Google credentials: add vertex_credentials.");
    return token;
  }
  const text = given.trim().startsWith("{") ? given : await readFile(given, "utf8").catch(() => "");
  const account = parseServiceAccount(text);
  if (account === null) throw new UpstreamError(0, "vertex_credentials is no key of a service account.");
  return findGoogleToken(account, { scope, reach: "operator", signal });
}
