import { z } from "zod";
import { inviteMember } from "#auth/invitation.ts";
import { masterUserId } from "#keys/master-user.ts";
import { Email } from "#lib/email.ts";
import { addMembers } from "#teams/add-members.ts";
import { deleteMember } from "#teams/delete-member.ts";
import { getTeam } from "#teams/get-team.ts";
import { AddMembers } from "#teams/team.ts";
import { updateMember } from "#teams/update-member.ts";
import { router, teamProcedure } from "#trpc/trpc.ts";

const Role = z.enum(["admin", "user"]);
const UserId = z.string().min(1).max(256);

/** Who is in a team. */
export const membersRouter = router({
  list: teamProcedure("team_reader", [{ pattern: "/team/info", class: "read" }]).query(
    async ({ ctx: { db, actor }, input }) => {
      const { team } = await getTeam(db, actor, input.teamId);
      // Whoever holds the master key makes teams as this user. Nobody can sign in as it or remove it.
      return team.members_with_roles.filter((member) => member.user_id !== masterUserId);
    },
  ),
  /** Answers the secret of the link by which a new person sets his password, this once; null for who has one. */
  add: teamProcedure("team_admin", [])
    .input(z.object({ user_email: Email, role: Role }))
    .mutation(async ({ ctx: { db, actor }, input: { teamId, ...member } }) => {
      const added = await addMembers(db, actor, AddMembers.parse({ team_id: teamId, member }));
      const [user] = added.updated_users;
      return user ? inviteMember(db, { userId: user.user_id, createdBy: actor.userId }) : null;
    }),
  update: teamProcedure("team_admin", [{ pattern: "/team/member_update", class: "team_write" }])
    .input(z.object({ user_id: UserId, role: Role }))
    .mutation(({ ctx: { db, actor }, input: { teamId, user_id, role } }) =>
      updateMember(db, actor, { team_id: teamId, user_id, role }),
    ),
  remove: teamProcedure("team_admin", [{ pattern: "/team/member_delete", class: "team_write" }])
    .input(z.object({ user_id: UserId }))
    .mutation(async ({ ctx: { db, actor }, input: { teamId, user_id } }) => {
      await deleteMember(db, actor, { team_id: teamId, user_id });
      return { user_id };
    }),
});
