import { z } from "zod";
import { changePassword } from "#auth/change-password.ts";
import { acceptInvitation } from "#auth/invitation.ts";
import { endSession, listSessions } from "#auth/list-sessions.ts";
import { openProcedure, router, sessionProcedure, userProcedure } from "#trpc/trpc.ts";

const Password = z.string().max(1024);

/** Who one is, and one's own sign-in. */
export const accountRouter = router({
  me: userProcedure([{ pattern: "/user/info", class: "read" }]).query(async ({ ctx: { db, actor } }) => {
    const where = { id: actor.userId ?? "" };
    const user = await db.user.findUnique({ where, select: { email: true, alias: true } });
    return { userId: actor.userId, role: actor.role, email: user?.email ?? null, alias: user?.alias ?? null };
  }),
  sessions: sessionProcedure([]).query(({ ctx: { db, session } }) => listSessions(db, session)),
  endSession: sessionProcedure([])
    .input(z.object({ id: z.string().max(100) }))
    .mutation(({ ctx: { db, session }, input }) => endSession(db, session, input.id)),
  changePassword: sessionProcedure([])
    .input(z.object({ current: Password, next: Password }))
    .mutation(({ ctx: { db, session }, input }) => changePassword(db, session, input)),
  acceptInvitation: openProcedure([])
    .input(z.object({ secret: z.string().min(1).max(200), password: Password }))
    .mutation(async ({ ctx: { db }, input }) => ({ email: await acceptInvitation(db, input) })),
});
