import type { Outputs } from "#trpc/client.tsx";

type Destination = Outputs["destinations"]["list"][number];

/**
 * Reads variables out of a pasted text: lines of a `.env` file (by the vendor's names, LiteLLM's or ours), or the JSON of
 * a Google service account. What the destination does not take is left out.
 */
export function readPasted(text: string, { vars, env }: Pick<Destination, "vars" | "env">): Record<string, string> {
  const names = new Map(vars.map(({ name, aliasOf }) => [name, aliasOf ?? name]));
  if (isServiceAccount(text))
    return names.has("gcs_service_account_json") ? { gcs_service_account_json: text.trim() } : {};
  const found: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, given = "", raw = ""] = /^\s*(?:export\s+)?([\w.]+)\s*[=:]\s*(.*?)\s*,?\s*$/.exec(line) ?? [];
    const value = raw.replace(/^(["'])(.*)\1$/, "$2");
    const name = names.get(given.toLowerCase()) ?? names.get(given) ?? env[given] ?? otherNames[given];
    if (value !== "" && name !== undefined && names.has(name)) found[name] = value;
  }
  return found;
}

/** Names under which vendors show a variable on their own pages. */
const otherNames: Readonly<Record<string, string>> = {
  LANGFUSE_BASE_URL: "langfuse_host",
  LANGFUSE_BASEURL: "langfuse_host",
};

function isServiceAccount(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && "type" in parsed && parsed.type === "service_account";
  } catch {
    return false;
  }
}
