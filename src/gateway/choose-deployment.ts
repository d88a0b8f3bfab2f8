import type { Caller } from "#keys/caller.ts";
import { configState } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { isModelName } from "#lib/storable.ts";
import { modelsState, type Deployment, type ModelTable, type UnusableModel } from "#gateway/models.ts";

/** `isOperators`: the name comes from config.yaml, so the caller need not be allowed to ask for it. */
export type GroupOptions = { isOperators?: boolean };

/**
 * The deployments that answer a model name for this caller: aliases of key, team and router first, then the model list,
 * names before wildcards (`openai/*`, `*`). Throws 403 where key or team may not use the model, 400 where there is none,
 * in LiteLLM's words.
 */
export function findGroup(caller: Caller, model: string, options: GroupOptions = {}): readonly Deployment[] {
  if (!isModelName(model)) throw unknownModel("(a name that cannot be stored)");
  // An alias is an own entry: a model called "constructor" has none.
  const aliased = (Object.hasOwn(caller.modelAliases, model) ? caller.modelAliases[model] : undefined) ?? model;
  if (options.isOperators !== true) assertModelAllowed(caller, model, aliased);
  const table = modelsState.get();
  const named = [aliased, aliasOfRouter(aliased)];
  const own = named.map((name) => table.get(name)).find((found) => found?.every(({ ofName }) => ofName === undefined));
  // An entry with this very name that cannot be called is not answered by a wildcard's vendor.
  const unusable = own === undefined ? table.unusable.find(({ modelName }) => named.includes(modelName)) : undefined;
  if (unusable) throw unusableModel(model, unusable.reason);
  const group = own ?? findWildcard(table, aliased);
  if (group) return group;
  const pattern = table.unusable.find(
    ({ modelName: name }) => name.endsWith("*") && aliased.startsWith(name.slice(0, -1)),
  );
  throw pattern ? unusableModel(model, pattern.reason) : unknownModel(model);
}

function unknownModel(model: string): AppError {
  return new AppError(
    "bad_request",
    `Invalid model name passed in model=${model}. Call \`/v1/models\` to view available models for your key.`,
    { type: "invalid_request_error", param: "model" },
  );
}

function unusableModel(model: string, reason: string): AppError {
  const message = `The model ${model} cannot be called: ${reason}`;
  return new AppError("bad_request", message, { type: "invalid_request_error", param: "model" });
}

function aliasOfRouter(name: string): string {
  const aliases = configState.get().router_settings.model_group_alias;
  const alias = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
  return (typeof alias === "string" ? alias : alias?.model) ?? name;
}

/** The wildcard with the longest beginning; its deployments get the rest of the name where theirs has a `*`. */
function findWildcard(table: ModelTable, name: string): readonly Deployment[] | null {
  const patterns = [...table.keys()].filter((key) => key.endsWith("*") && name.startsWith(key.slice(0, -1)));
  const [pattern] = patterns.sort((left, right) => right.length - left.length);
  if (pattern === undefined) return null;
  const rest = name.slice(pattern.length - 1);
  return (table.get(pattern) ?? []).map((deployment) => {
    if (deployment.ofName) {
      const found = deployment.ofName(rest);
      if ("problem" in found) throw unusableModel(name, `model "${rest}" ${found.problem}`);
      return found;
    }
    // `*` -> `openai/*` also takes a name that says openai/ itself.
    const own = `${deployment.provider}/`;
    const named = rest.startsWith(own) ? rest.slice(own.length) : rest;
    const upstreamModel = deployment.upstreamModel.replace("*", () => named);
    return { ...deployment, upstreamModel, priceModel: deployment.priceModel.replace("*", () => named) };
  });
}

/** The public model names that a caller may use, in the order of the model list. */
export function allowedModels(caller: Caller): string[] {
  return [...modelsState.get().keys()].filter((name) => findRefusal(caller, [name]) === null);
}

/** The entries that cannot be called, of the models that a caller may use. */
export function unusableModels(caller: Caller): UnusableModel[] {
  return modelsState.get().unusable.filter(({ modelName }) => findRefusal(caller, [modelName]) === null);
}

function assertModelAllowed(caller: Caller, model: string, name: string): void {
  const refused = findRefusal(caller, [model, name]);
  if (refused === null) return;
  const models = refused === "key" ? caller.keyModels : caller.teamModels;
  throw new AppError(
    "forbidden",
    `${refused} not allowed to access model. This ${refused} can only access models=[${models.join(", ")}]. Tried to access ${model}`,
    { type: `${refused}_model_access_denied`, param: "model" },
  );
}

/** Who refuses every one of the names: the key, else the team, else nobody. */
function findRefusal(caller: Caller, names: readonly string[]): "key" | "team" | null {
  if (!covers(caller.keyModels, names)) return "key";
  if (!covers(caller.teamModels, names)) return "team";
  return null;
}

const everything = ["*", "all-proxy-models", "all-team-models"];

function covers(allowed: readonly string[], names: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  return allowed.some((entry) => {
    if (everything.includes(entry)) return true;
    if (entry.endsWith("/*")) return names.some((name) => name.startsWith(entry.slice(0, -1)));
    return names.includes(entry);
  });
}
