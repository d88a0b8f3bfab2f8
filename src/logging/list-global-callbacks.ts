import { z } from "zod";
import { configState } from "#lib/config.ts";
import { globalCallbacks } from "#logging/policy.ts";

/** The callbacks that config.yaml sets for everybody, by what they fire on. */
export const GlobalCallbacks = z.object({
  success: z.array(z.string()),
  failure: z.array(z.string()),
  success_and_failure: z.array(z.string()),
});
export type GlobalCallbacks = z.output<typeof GlobalCallbacks>;

/** Lists the callbacks of config.yaml that are active: names that are no destination of ours are left out. */
export function listGlobalCallbacks(): GlobalCallbacks {
  const all = globalCallbacks(configState.get());
  const named = (firesOn: string): string[] =>
    all.filter((callback) => callback.firesOn === firesOn).map(({ callbackName }) => callbackName);
  return { success: named("success"), failure: named("failure"), success_and_failure: named("success_and_failure") };
}
