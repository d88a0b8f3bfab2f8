import type { z } from "zod";
import { isRecord, valueAt, type ConfigPath } from "#lib/config-document.ts";
import { describeIssue } from "#lib/config-issue.ts";
import { referencedName } from "#lib/config-references.ts";
import { dottedPath, type ConfigReport } from "#lib/config-report.ts";
import { Model } from "#lib/config-schema.ts";

/** An entry of `model_list` that cannot be called, and why. */
export type UnusableModel = { model_name: string; reason: string; place: string };

/** The names under which an entry says where its model is. */
const addressNames = ["api_base", "base_url"];

/** Other names and spellings that people give an address. Left unread, the key would go to the vendor's own host. */
const misspeltAddress =
  /^(api_?(base|url|host|endpoint)(_url)?|base_?(url|uri)|url|uri|host|server|endpoint(_url)?|(azure|openai)_?(api_?base|base_?url|endpoint))$/;

/**
 * Sorts the entries of `model_list` into those that can be used and those that cannot: one wrong entry never stops the
 * start. `written` is the list as the file has it, `resolved` the same with its references resolved.
 */
export function readModelList(
  resolved: unknown,
  written: unknown,
  report: ConfigReport,
): { model_list: unknown; unusable_models: UnusableModel[] } {
  if (!Array.isArray(resolved)) return { model_list: resolved, unusable_models: [] };
  const usable: object[] = [];
  const unusable: UnusableModel[] = [];
  for (const [index, entry] of resolved.entries()) {
    const path: ConfigPath = ["model_list", index];
    const source = toSource(written, path, report);
    const faults = [...addressFaults(entry, written, path), ...schemaFaults(entry, written, path)];
    if (faults.length === 0 && isRecord(entry)) usable.push({ ...entry, source });
    else {
      const name = isRecord(entry) && typeof entry["model_name"] === "string" ? entry["model_name"] : "";
      unusable.push({ model_name: name, reason: faults.join(" "), place: source.place });
    }
  }
  return { model_list: usable, unusable_models: unusable };
}

function toSource(written: unknown, path: ConfigPath, report: ConfigReport): { place: string; key_variable?: string } {
  const variable = referencedName(valueAt(written, [...path, "litellm_params", "api_key"]));
  const place = report.placeOf([...path, "litellm_params", "model"]);
  return { place, ...(variable === null ? {} : { key_variable: variable }) };
}

function schemaFaults(entry: unknown, written: unknown, path: ConfigPath): string[] {
  const parsed = Model.safeParse(entry, { reportInput: true });
  if (parsed.success) return [];
  return parsed.error.issues.map((issue: z.core.$ZodIssue) => {
    const full = [...path, ...issue.path];
    const named = full.slice(path.length).filter((step) => typeof step !== "symbol");
    return `${dottedPath(named)}: ${describeIssue({ ...issue, path: full }, written)}`;
  });
}

/** Why it is not sure to which host the entry's key would go. */
function addressFaults(entry: unknown, written: unknown, path: ConfigPath): string[] {
  const params = isRecord(entry) && isRecord(entry["litellm_params"]) ? entry["litellm_params"] : {};
  const faults: string[] = [];
  for (const [name, value] of Object.entries(params)) {
    const variable = referencedName(valueAt(written, [...path, "litellm_params", name]));
    if (addressNames.includes(name)) {
      if ((value === null || value === undefined) && variable !== null) {
        faults.push(
          `${name} refers to the environment variable ${variable}, which has no value. Fix: set ${variable}.`,
        );
      }
    } else if (misspeltAddress.test(name.toLowerCase().replaceAll("-", "_"))) {
      faults.push(`${name} is not read, so it is not sure where the model is. Fix: write api_base.`);
    }
  }
  const [base, url] = addressNames.map((name) => params[name] ?? null);
  if (base !== null && url !== null && base !== url) faults.push("api_base and base_url differ. Fix: remove one.");
  return faults;
}
