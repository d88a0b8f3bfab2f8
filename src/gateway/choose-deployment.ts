import type { Caller } from "#keys/caller.ts";
import { AppError } from "#lib/errors.ts";
import { modelsState, type Deployment } from "#gateway/models.ts";

/**
 * The deployment that answers a model name for this caller: aliases of key and team first, then the model list, one of
 * several at random. Throws 403 where key or team may not use the model, 400 where there is none, in LiteLLM's words.
 */
export function chooseDeployment(caller: Caller, model: string): Deployment {
  // An alias is an own entry: a model called "constructor" has none.
  const name = (Object.hasOwn(caller.modelAliases, model) ? caller.modelAliases[model] : undefined) ?? model;
  assertModelAllowed(caller, model, name);
  const deployments = modelsState.get().get(name) ?? [];
  const chosen = deployments[Math.floor(Math.random() * deployments.length)];
  if (chosen) return chosen;
  throw new AppError(
    "bad_request",
    `Invalid model name passed in model=${model}. Call \`/v1/models\` to view available models for your key.`,
    { type: "invalid_request_error", param: "model" },
  );
}

/** The public model names that a caller may use, in the order of the model list. */
export function allowedModels(caller: Caller): string[] {
  return [...modelsState.get().keys()].filter((name) => findRefusal(caller, [name]) === null);
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
