import { z } from "zod";
import { route } from "#http/route.ts";
import { listAudit, AuditPage } from "#logging/list-audit.ts";

const text = z.string().optional();
const Query = z.object({
  object_type: text,
  object_id: text,
  actor: text,
  action: text,
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  page_size: z.coerce.number().int().min(1).max(100).default(10),
});

/** Who changed what, newest first. */
export const GET = route(
  {
    auth: "admin_viewer",
    class: "operate",
    describe: { summary: "List who changed what, newest first", tag: "Operations", answer: AuditPage },
    query: Query,
  },
  ({ db, query }) => {
    const { object_type: objectType, object_id: objectId, page_size: pageSize, ...rest } = query;
    return listAudit(db, { ...rest, actor: rest.actor, action: rest.action, objectType, objectId, pageSize });
  },
);
