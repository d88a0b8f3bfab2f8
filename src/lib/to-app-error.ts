import { AppError, UpstreamError } from "#lib/errors.ts";
import { isRefusedValue } from "#lib/refused-value.ts";

/** Any thrown value as an `AppError` that may be shown. */
export function toAppError(error: unknown, requestId: string): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof UpstreamError) return new AppError("internal", error.message, { cause: error });
  if (isDatabaseAway(error)) {
    return new AppError("unavailable", "The database cannot be reached now. Try again in a moment.", { cause: error });
  }
  if (isRefusedValue(error)) {
    return new AppError("unprocessable", "A text, number or date is longer or larger than what can be stored.", {
      cause: error,
    });
  }
  return new AppError("internal", `Internal Server Error, request id ${requestId}`, { cause: error });
}

/** Prisma's codes for a database that is not there, and the driver's own. */
const awayCodes = ["P1001", "P1002", "P1008", "P1017", "P2024", "P2028", "ECONNREFUSED", "ECONNRESET", "ENOENT"];

/**
 * PostgreSQL's own codes while it shuts down, starts, recovers or has no connection left (57P01 to 57P05, 53300), and of a
 * connection that broke (class 08): a pooler answers 08P01 while its server is away.
 */
const awayStates = "08\\w{3}|57P0[1-5]|53300";
const awayCode = new RegExp(`^(?:${[...awayCodes, awayStates].join("|")})$`);
/** Errors that are told by their text alone: Prisma's, the driver's and the pooler's. */
const awayTexts = [
  "Can't reach database server",
  "Connection terminated",
  "timeout exceeded when trying to connect",
  "connection error and is not queryable",
  "server conn crashed",
  `Code: \`(?:${awayStates})\``,
];
const awayText = new RegExp(awayTexts.join("|"));

/** True if the error says that the database cannot be reached. */
export function isDatabaseAway(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("code" in error && typeof error.code === "string" && awayCode.test(error.code)) return true;
  if ("message" in error && typeof error.message === "string" && awayText.test(error.message)) return true;
  return "cause" in error && isDatabaseAway(error.cause);
}
