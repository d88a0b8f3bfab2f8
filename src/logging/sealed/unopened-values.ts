import { stateCell } from "#lib/state.ts";
import type { SealedCount } from "#logging/sealed/survey.ts";

/** Stored values that no configured encryption key opens, as they were counted last. */
export const unopenedValuesState = stateCell<readonly SealedCount[]>("unopened-values");
