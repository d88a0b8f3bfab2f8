import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import type { Actor } from "#keys/actor.ts";
import { readsEverything } from "#keys/rights.ts";
import type { ListUsers } from "#users/user.ts";
import { toUserRows, userColumns, UserRow } from "#users/user-row.ts";

/** One page of users. */
export const UserPage = z.object({
  users: z.array(UserRow),
  total: z.number().int(),
  page: z.number().int(),
  page_size: z.number().int(),
  total_pages: z.number().int(),
});
export type UserPage = z.output<typeof UserPage>;

/** Lists users, the newest first. For who reads everything; 403 for everybody else. */
export async function listUsers(db: Db, actor: Actor, query: ListUsers): Promise<UserPage> {
  if (!readsEverything(actor)) throw new AppError("forbidden", "Only administrators and their viewers list users.");
  const { page, page_size: pageSize } = query;
  const where = await wanted(db, query);
  const total = await db.user.count({ where });
  const orderBy = [{ createdAt: "desc" }, { id: "asc" }] satisfies Prisma.UserOrderByWithRelationInput[];
  const range = { skip: (page - 1) * pageSize, take: pageSize, orderBy };
  const users = await db.user.findMany({ where, ...range, select: userColumns });
  const rows = await toUserRows(db, users);
  return { users: rows, total, page, page_size: pageSize, total_pages: Math.ceil(total / pageSize) };
}

async function wanted(
  db: Db,
  { role, user_ids: ids, user_email: email, team }: ListUsers,
): Promise<Prisma.UserWhereInput> {
  const members =
    team === undefined ? null : await db.teamMember.findMany({ where: { teamId: team }, select: { userId: true } });
  return {
    AND: [
      role === undefined ? {} : { role },
      ids === undefined ? {} : { id: { in: ids.split(",").map((id) => id.trim()) } },
      email === undefined ? {} : { email: { contains: email.toLowerCase() } },
      members === null ? {} : { id: { in: members.map(({ userId }) => userId) } },
    ],
  };
}
