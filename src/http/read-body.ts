import type { z } from "zod";
import { configState } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { isTooDeep, tooDeepMessage } from "#lib/read-json.ts";
import { findUnstorable, unstorableMessage } from "#lib/storable.ts";

/**
 * The text of a request's body, at most `general_settings.max_request_size_mb`. Throws `too_large` before it reads more
 * than that, and where the announced length is already over it.
 */
export async function readBodyText(request: Request): Promise<string> {
  return hasAllowedLength(request) ? request.text() : (await readWithLimit(request)).toString("utf8");
}

/**
 * The form of a request's body, under the same limit. Throws OpenAI's 400 where it is none.
 */
export async function readForm(request: Request): Promise<FormData> {
  const contentType = request.headers.get("content-type") ?? "";
  const body = hasAllowedLength(request) ? await request.arrayBuffer() : await readWithLimit(request);
  try {
    return await new Response(new Uint8Array(body), { headers: { "content-type": contentType } }).formData();
  } catch (cause) {
    const message = "The request body is not valid multipart/form-data.";
    throw new AppError("bad_request", message, { type: "invalid_request_error", cause });
  }
}

/** True where the length is announced and allowed, false where it is not known; throws where it is too much. */
function hasAllowedLength(request: Request): boolean {
  const megabytes = configState.get().general_settings.max_request_size_mb;
  const announced = request.headers.get("content-length");
  if (announced === null) return false;
  if (Number(announced) > megabytes * 1024 * 1024) throw tooLarge(megabytes);
  return true;
}

async function readWithLimit(request: Request): Promise<Buffer> {
  const megabytes = configState.get().general_settings.max_request_size_mb;
  const bytesMax = megabytes * 1024 * 1024;
  if (request.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw tooLarge(megabytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Parses a body with a route's schema. A call of a model gets OpenAI's 400 envelope where it does not fit, a management
 * route FastAPI's 422 list; what was sent is not echoed. What the database cannot keep fits no management route.
 */
export function parseBody(
  schema: z.ZodType,
  text: string,
  { isCall, keepsNothing }: { isCall: boolean; keepsNothing: boolean },
): unknown {
  const body = parseJson(text, isCall);
  if (!isCall && !keepsNothing) assertStorable("body", body);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw isCall ? badCall(parsed.error) : validationError("body", parsed.error);
}

/** Checks the body of a call that did not come as JSON; OpenAI's 400 where it does not fit. */
export function checkCall<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw badCall(parsed.error);
}

/** Parses the query of a URL with a route's schema; 422 in FastAPI's form where it does not fit. */
export function parseQuery(schema: z.ZodType, url: string): unknown {
  const start = url.indexOf("?");
  const query = Object.fromEntries(new URLSearchParams(start === -1 ? "" : url.slice(start + 1)));
  assertStorable("query", query);
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  throw validationError("query", parsed.error);
}

function parseJson(text: string, isCall: boolean): unknown {
  if (!isCall && text.trim() === "") return {};
  if (isTooDeep(text)) throw tooDeep(isCall);
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (isCall) {
      throw new AppError("bad_request", "The request body is not valid JSON.", {
        type: "invalid_request_error",
        cause,
      });
    }
    const msg = "JSON decode error";
    throw new AppError("unprocessable", msg, {
      detail: [{ type: "json_invalid", loc: ["body"], msg, input: {} }],
      cause,
    });
  }
}

/** Throws FastAPI's 422 if the database cannot keep a text or number, whatever a schema says of it. */
export function assertStorable(where: "body" | "query" | "path", value: unknown): void {
  const path = findUnstorable(value);
  if (path === null) return;
  const loc = [where, ...path];
  throw new AppError("unprocessable", `${loc.join(".")}: ${unstorableMessage}`, {
    detail: [{ type: "value_error", loc, msg: unstorableMessage, input: null }],
  });
}

function tooDeep(isCall: boolean): AppError {
  const type = "invalid_request_error";
  if (isCall) return new AppError("bad_request", tooDeepMessage, { type });
  const detail = [{ type: "json_invalid", loc: ["body"], msg: tooDeepMessage, input: {} }];
  return new AppError("unprocessable", tooDeepMessage, { detail });
}

function validationError(where: "body" | "query", error: z.ZodError): AppError {
  const detail = error.issues.map((issue) => {
    const isMissing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
    const loc = [where, ...issue.path.map((part) => (typeof part === "symbol" ? part.toString() : part))];
    return {
      type: isMissing ? "missing" : "value_error",
      loc,
      msg: isMissing ? "Field required" : issue.message,
      input: null,
    };
  });
  const message = detail.map((item) => `${item.loc.join(".")}: ${item.msg}`).join("; ");
  return new AppError("unprocessable", message, { detail });
}

function badCall(error: z.ZodError): AppError {
  const [issue] = error.issues;
  const param = issue?.path.join(".") ?? "";
  const message = issue?.message ?? "The body does not fit.";
  return new AppError("bad_request", param === "" ? message : `${param}: ${message}`, {
    type: "invalid_request_error",
    ...(param === "" ? {} : { param }),
  });
}

function tooLarge(megabytes: number): AppError {
  return new AppError(
    "too_large",
    `The request body is larger than ${String(megabytes)} MB (general_settings.max_request_size_mb).`,
    { type: "invalid_request_error" },
  );
}
