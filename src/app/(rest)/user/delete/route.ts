import { z } from "zod";
import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { deleteUsers } from "#users/delete-users.ts";
import { DeleteUsers } from "#users/user.ts";

export const POST = route(
  {
    auth: "admin",
    class: "write",
    describe: {
      summary: "Delete users with their keys and memberships",
      tag: "Users",
      answer: z.number().int().describe("How many were deleted."),
      example: { user_ids: ["ada"] },
      refusals: { 400: "You are among them.", 404: "One of them does not exist; nobody is deleted." },
    },
    body: DeleteUsers,
  },
  async ({ db, caller, body, request, callId }) =>
    jsonResponse(await deleteUsers(db, actorOf(caller, request), body.user_ids), callId),
);
