import { z } from "zod";
import { findDocsFile } from "#http/docs-files.ts";
import { docsHeaders } from "#http/docs-page.ts";
import { route } from "#http/route.ts";
import { AppError } from "#lib/errors.ts";

/** The scripts and styles of the page. */
export const GET = route(
  {
    auth: "none",
    class: "open",
    describe: {
      summary: "Load a script or style of the page",
      tag: "Operations",
      answer: z.string(),
      contentType: ["text/javascript; charset=utf-8", "text/css; charset=utf-8", "image/png"],
      params: { file: { description: "The name of the file.", example: "start.js" } },
      refusals: { 404: "The page has no such file." },
    },
  },
  async ({ params }) => {
    const file = await findDocsFile(params.file ?? "");
    if (!file) throw new AppError("not_found", "The page has no such file.", { param: "file" });
    const headers = { ...docsHeaders, "content-type": file.contentType, "cache-control": "public, max-age=3600" };
    return new Response(file.body, { headers });
  },
);
