import { configState } from "#lib/config.ts";
import { version } from "#lib/version.ts";
import { describeSettings } from "#logging/describe-settings.ts";
import { adminViewerProcedure, router } from "#trpc/trpc.ts";

/** What the operator has set for everybody. */
export const settingsRouter = router({
  get: adminViewerProcedure([]).query(() => ({ version, ...describeSettings(configState.get()) })),
});
