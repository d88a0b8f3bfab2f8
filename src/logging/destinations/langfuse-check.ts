import { UpstreamError } from "#lib/errors.ts";
import type { CheckResult, DeliveryContext } from "#logging/destinations/destination.ts";
import { parseObject } from "#logging/destinations/exchange.ts";
import { probeIngestion } from "#logging/destinations/langfuse-ingestion-probe.ts";
import { requestLangfuse, toLangfuseError } from "#logging/destinations/langfuse-request.ts";
import { postTraces } from "#logging/destinations/langfuse-send.ts";
import { toLangfuseTarget } from "#logging/destinations/langfuse-target.ts";
import type { LangfuseTarget, LangfuseTargetVars, LangfuseWire } from "#logging/destinations/langfuse-target.ts";
import { toTraceExport } from "#logging/destinations/otlp-json.ts";

/**
 * Asks Langfuse whose project the keys open, then sends an export without spans, which is refused where the keys may
 * not write or the server is too old, and leaves nothing behind. Langfuse looks only at the secret key, so a public
 * key of another project cannot be told from a right one: the project's name is shown instead.
 */
export async function checkLangfuse(
  vars: LangfuseTargetVars,
  context: DeliveryContext,
  hostDefault?: string,
): Promise<CheckResult> {
  try {
    const target = toLangfuseTarget(vars, hostDefault);
    const misplaced = findMisplacedKeys(target);
    if (misplaced !== null) return unhealthy(misplaced);
    const project = await findProject(target, context);
    if (project === null) return unhealthy(`Langfuse at ${target.host} names no project for these keys`);
    const wire = await findWire(target, context);
    return {
      state: "healthy",
      message: `Records land in the Langfuse project "${project.name}" at ${target.host}${wire === "ingestion" ? " (old ingestion batch)" : ""}`,
      target: `${project.name} (${project.id})`,
    };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const state = error.status === 429 ? "unverified" : "unhealthy";
    return { state, message: error.message, target: null };
  }
}

/** The wire that takes records; throws where none does. */
async function findWire(target: LangfuseTarget, context: DeliveryContext): Promise<LangfuseWire> {
  const sending = { target, context };
  if (target.wire !== "ingestion") {
    const noSpans = toTraceExport({ resource: [], scope: { name: "", version: "" } }, []);
    const answer = await postTraces(noSpans, sending);
    if (answer.status === 200 && !answer.isHtml) return "otlp";
    if (answer.status !== 404 || target.wire === "otlp") throw toLangfuseError(answer, target);
  }
  await probeIngestion(sending);
  return "ingestion";
}

async function findProject(
  target: LangfuseTarget,
  context: DeliveryContext,
): Promise<{ id: string; name: string } | null> {
  const answer = await requestLangfuse(target, { method: "GET", path: "/api/public/projects" }, context);
  if (answer.status !== 200 || answer.isHtml) throw toLangfuseError(answer, target);
  const data = parseObject(answer.text)?.["data"];
  const project: unknown = Array.isArray(data) ? data[0] : null;
  if (typeof project !== "object" || project === null || !("id" in project)) return null;
  const id = String(project.id);
  return { id, name: "name" in project && typeof project.name === "string" ? project.name : id };
}

/** The two mistakes of pasting that the keys' prefixes give away. */
function findMisplacedKeys(target: LangfuseTarget): string | null {
  if (target.publicKey.startsWith("sk-lf-")) return "langfuse_public_key holds a secret key (sk-lf-…)";
  if (target.secretKey.startsWith("pk-lf-")) return "langfuse_secret_key holds a public key (pk-lf-…)";
  return null;
}

function unhealthy(message: string): CheckResult {
  return { state: "unhealthy", message, target: null };
}
