import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isObject, parseJson } from "./fake-server.ts";

/** What an upload asks to store. */
export type Upload = { name: string; contentType: string; metadata: Record<string, string>; content: Buffer };

/** Reads a media or multipart upload; a text is why Google refuses it. */
export function readUpload(request: IncomingMessage, url: URL, body: Buffer): Upload | string {
  const type = request.headers["content-type"] ?? "application/octet-stream";
  const queryName = url.searchParams.get("name") ?? "";
  const uploadType = url.searchParams.get("uploadType");
  if (uploadType === "media") return checkUpload({ name: queryName, contentType: type, metadata: {}, content: body });
  if (uploadType !== "multipart") return `The fake knows no uploadType "${uploadType ?? ""}".`;
  const parts = readParts(type, body);
  const [head, content] = parts ?? [];
  if (parts?.length !== 2 || !head || !content) return "Invalid multipart request with 2 mime parts expected.";
  const resource = parseJson(head.content.toString("utf8"));
  if (!isObject(resource)) return "Parse Error";
  const { name, contentType, metadata, md5Hash } = resource;
  const md5 = hash("md5", content.content, "base64");
  if (md5Hash !== undefined && md5Hash !== md5) {
    return `Provided MD5 hash "${String(md5Hash)}" doesn't match calculated MD5 hash "${md5}".`;
  }
  return checkUpload({
    name: typeof name === "string" ? name : queryName,
    contentType: typeof contentType === "string" ? contentType : content.type,
    metadata: isObject(metadata) ? Object.fromEntries(Object.entries(metadata).map(([k, v]) => [k, String(v)])) : {},
    content: content.content,
  });
}

/** The checksum that Google keeps of a content, and by which its client checks what it has sent. */
export function crc32c(content: Buffer): string {
  let crc = 0xffffffff;
  for (const byte of content) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return bytes.toString("base64");
}

function checkUpload(upload: Upload): Upload | string {
  if (upload.name === "") return "Required";
  const isTooLong = Buffer.byteLength(upload.name) > 1024;
  if (isTooLong || /[\r\n]/.test(upload.name) || upload.name === "." || upload.name === "..") {
    return `Disallowed unicode characters or length of object name '${upload.name}'`;
  }
  return upload;
}

type Part = { type: string; content: Buffer };

function readParts(contentType: string, body: Buffer): Part[] | null {
  const boundary = /^multipart\/related;.*boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) return null;
  const parts: Part[] = [];
  let start = body.indexOf(`--${boundary}`);
  while (start !== -1) {
    start += boundary.length + 2;
    if (body.subarray(start, start + 2).toString() === "--") return parts;
    const end = body.indexOf(`\r\n--${boundary}`, start);
    const headEnd = body.indexOf("\r\n\r\n", start);
    if (end === -1 || headEnd === -1 || headEnd > end) return null;
    const head = body.subarray(start, headEnd).toString("utf8");
    const type = /content-type:\s*([^\r\n]+)/i.exec(head)?.[1] ?? "application/octet-stream";
    parts.push({ type, content: Buffer.from(body.subarray(headEnd + 4, end)) });
    start = end + 2;
  }
  return null;
}
