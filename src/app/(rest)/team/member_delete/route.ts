import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { deleteMember } from "#teams/delete-member.ts";
import { MemberName } from "#teams/team.ts";

export const POST = route({ auth: "admin", body: MemberName }, ({ db, caller, body, request }) =>
  deleteMember(db, actorOf(caller, request), body),
);
