import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { docsScript, docsStyle } from "#http/docs-page.ts";

/** A file that the page of the description loads. */
export type DocsFile = { contentType: string; body: string | Uint8Array<ArrayBuffer> };

const script = "text/javascript; charset=utf-8";
const style = "text/css; charset=utf-8";

const own: ReadonlyMap<string, DocsFile> = new Map([
  ["start.js", { contentType: script, body: docsScript }],
  ["page.css", { contentType: style, body: docsStyle }],
]);

/** Files of the package swagger-ui-dist, served as they are. */
const packaged: ReadonlyMap<string, string> = new Map([
  ["swagger-ui-bundle.js", script],
  ["swagger-ui.css", style],
  ["favicon-32x32.png", "image/png"],
]);

/** Reads a file of the page; null for a name that is none of its files. */
export async function findDocsFile(name: string): Promise<DocsFile | null> {
  const contentType = packaged.get(name);
  if (contentType === undefined) return own.get(name) ?? null;
  // The pages' bundler takes in a package that it sees required here, its README included: it is not to see this one.
  const path = createRequire(new URL("../../package.json", import.meta.url)).resolve(`swagger-ui-dist/${name}`);
  return { contentType, body: new Uint8Array(await readFile(path)) };
}
