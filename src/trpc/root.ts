import { accountRouter } from "#trpc/routers/account.ts";
import { auditRouter } from "#trpc/routers/audit.ts";
import { callbacksRouter } from "#trpc/routers/callbacks.ts";
import { deliveriesRouter } from "#trpc/routers/deliveries.ts";
import { destinationsRouter } from "#trpc/routers/destinations.ts";
import { keysRouter } from "#trpc/routers/keys.ts";
import { membersRouter } from "#trpc/routers/members.ts";
import { policyRouter } from "#trpc/routers/policy.ts";
import { settingsRouter } from "#trpc/routers/settings.ts";
import { teamsRouter } from "#trpc/routers/teams.ts";
import { usageRouter } from "#trpc/routers/usage.ts";
import { usersRouter } from "#trpc/routers/users.ts";
import { router } from "#trpc/trpc.ts";

/** Everything that the portal and typed tools can ask. */
export const appRouter = router({
  account: accountRouter,
  audit: auditRouter,
  callbacks: callbacksRouter,
  deliveries: deliveriesRouter,
  destinations: destinationsRouter,
  keys: keysRouter,
  members: membersRouter,
  policy: policyRouter,
  settings: settingsRouter,
  teams: teamsRouter,
  usage: usageRouter,
  users: usersRouter,
});

/** The contract with the clients. */
export type AppRouter = typeof appRouter;
