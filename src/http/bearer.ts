import { configState } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";

/** Headers that may carry a key, after LiteLLM's own and before the vendors'. First non-empty one wins. */
const rawHeaders = ["api-key", "x-api-key", "x-goog-api-key", "ocp-apim-subscription-key"] as const;
const bearerPattern = /^bearer\s+(\S+)\s*$/i;

/**
 * The key that a request carries, or null where it carries none: `x-litellm-api-key` (or the header that
 * `general_settings.litellm_key_header_name` names), then `Authorization: Bearer`, then the vendors' headers.
 */
export function readBearer(headers: Headers): string | null {
  const named = configState.get().general_settings.litellm_key_header_name;
  for (const name of named === undefined ? ["x-litellm-api-key"] : [named, "x-litellm-api-key"]) {
    const value = headers.get(name)?.trim();
    if (value) return bearerPattern.exec(value)?.[1] ?? value;
  }
  const authorization = headers.get("authorization")?.trim();
  if (authorization) {
    const bearer = bearerPattern.exec(authorization)?.[1];
    if (bearer !== undefined) return bearer;
    throw new AppError(
      "unauthorized",
      "Authentication Error, Malformed API Key passed in. Ensure Key has `Bearer ` prefix.",
    );
  }
  for (const name of rawHeaders) {
    const value = headers.get(name)?.trim();
    if (value) return value;
  }
  return null;
}
