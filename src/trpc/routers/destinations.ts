import { describeDestinations } from "#logging/describe-destinations.ts";
import { router, userProcedure } from "#trpc/trpc.ts";

/** What logs can be sent to. */
export const destinationsRouter = router({
  list: userProcedure([]).query(() => describeDestinations()),
});
