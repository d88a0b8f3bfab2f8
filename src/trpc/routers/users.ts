import { z } from "zod";
import { createInvitation } from "#auth/invitation.ts";
import { Role } from "#keys/actor.ts";
import { AppError } from "#lib/errors.ts";
import { createUser } from "#users/create-user.ts";
import { deleteUsers } from "#users/delete-users.ts";
import { listUsers } from "#users/list-users.ts";
import { updateUser } from "#users/update-user.ts";
import { CreateUser, ListUsers } from "#users/user.ts";
import { adminProcedure, adminViewerProcedure, router } from "#trpc/trpc.ts";

const Named = z.object({ userId: z.string().min(1).max(256) });

/** The people of the gateway. */
export const usersRouter = router({
  list: adminViewerProcedure([{ pattern: "/user/list", class: "operate" }])
    .input(z.object({ search: z.string().max(254).default(""), page: z.int().min(1).max(100_000).default(1) }))
    .query(({ ctx: { db, actor }, input: { search, page } }) =>
      listUsers(db, actor, ListUsers.parse({ ...(search === "" ? {} : { user_email: search }), page, page_size: 50 })),
    ),
  /** Makes a user and the secret of the link by which he sets his password; it is shown this once. */
  invite: adminProcedure([])
    .input(z.object({ email: z.email().max(254), role: Role }))
    .mutation(async ({ ctx: { db, actor }, input: { email, role } }) => {
      const fields = { user_email: email, user_role: role, auto_create_key: false };
      const user = await createUser(db, actor, CreateUser.parse(fields));
      return createInvitation(db, { userId: user.user_id, createdBy: actor.userId });
    }),
  /** A new link for a user; the password that he has stays until he sets another one. */
  inviteAgain: adminProcedure([])
    .input(Named)
    .mutation(async ({ ctx: { db, actor }, input: { userId } }) => {
      const user = await db.user.findUnique({ where: { id: userId }, select: { email: true } });
      if (!user?.email) throw new AppError("not_found", "There is no such user with an e-mail address.");
      return createInvitation(db, { userId, createdBy: actor.userId });
    }),
  setRole: adminProcedure([{ pattern: "/user/update", class: "write" }])
    .input(Named.extend({ role: Role }))
    .mutation(({ ctx: { db, actor }, input: { userId, role } }) =>
      updateUser(db, actor, { user_id: userId, user_role: role }),
    ),
  delete: adminProcedure([{ pattern: "/user/delete", class: "write" }])
    .input(Named)
    .mutation(async ({ ctx: { db, actor }, input: { userId } }) => ({
      deleted: await deleteUsers(db, actor, [userId]),
    })),
});
