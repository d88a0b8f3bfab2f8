import { previewLog, PreviewLog, LogPreview } from "#gateway/preview-log.ts";
import { route } from "#http/route.ts";

/** What the destinations of the calling key would get for a request; nothing is sent, stored or logged. */
export const POST = route(
  {
    auth: "key",
    class: "read",
    keepsNothing: true,
    describe: {
      summary: "See what the destinations of the calling key would get for a request",
      details: "After redaction, and as the request that would be sent. Nothing is sent, stored or logged.",
      tag: "Logs",
      answer: LogPreview,
      example: { request: { model: "gpt-4o", messages: [{ role: "user", content: "Hello" }] } },
      refusals: { 400: "The model does not exist.", 403: "The key may not use the model." },
    },
    body: PreviewLog,
  },
  ({ db, caller, body }) => previewLog(db, { caller, body, env: process.env }),
);
