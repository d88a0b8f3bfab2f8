import type { ZodError } from "zod";
import { AppError } from "#lib/errors.ts";

/** The 400 for a field that a vendor cannot be asked for. */
export function refuseField(field: string, message: string): AppError {
  return new AppError("bad_request", message, { type: "invalid_request_error", param: field });
}

/** The first thing that was wrong with a request, as the 400 that names it. */
export function toRefusal(error: ZodError, vendor: string): AppError {
  const issue = error.issues[0];
  if (!issue) return refuseField("body", `The request cannot be translated for ${vendor}.`);
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const field = [...path, ...issue.keys.slice(0, 1)].join(".");
    return refuseField(field, `${field} cannot be translated for ${vendor}.`);
  }
  const field = path.join(".");
  return refuseField(field, `${field} cannot be translated for ${vendor}: ${issue.message}`);
}
