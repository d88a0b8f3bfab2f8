import { z } from "zod";
import { docsHeaders, docsPage } from "#http/docs-page.ts";
import { route } from "#http/route.ts";

/** The description for people, without a request to any other host. */
export const GET = route(
  {
    auth: "none",
    class: "open",
    describe: {
      summary: "See this description as a page",
      tag: "Operations",
      answer: z.string(),
      contentType: "text/html; charset=utf-8",
    },
  },
  async () =>
    new Response(docsPage, {
      headers: { ...docsHeaders, "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
    }),
);
