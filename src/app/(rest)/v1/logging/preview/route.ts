import { previewLog, PreviewLog } from "#gateway/preview-log.ts";
import { route } from "#http/route.ts";

/** What the destinations of the calling key would get for a request; nothing is sent, stored or logged. */
export const POST = route({ auth: "key", body: PreviewLog }, ({ db, caller, body }) =>
  previewLog(db, { caller, body, env: process.env }),
);
