import { AppError } from "#lib/errors.ts";

const ownNames = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "upgrade",
  "expect",
]);

/** Headers that open the metadata services of clouds: Google, Azure and Alibaba take `Metadata…`, AWS the last one. */
const metadataName = /^(?:x-)?metadata(?:-|$)|^x-(?:aws-ec2|aliyun-ecs)-metadata-/;

/**
 * Throws `bad_request` with the first name that a user may not set: `Host`, hop-by-hop and framing headers, those of
 * metadata services, and whatever is no header at all (a line break in name or value). The value is never shown.
 */
export function assertUserHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(lower)) {
      throw new AppError("bad_request", `${JSON.stringify(name)} is not a valid header name.`);
    }
    if (ownNames.has(lower) || metadataName.test(lower)) {
      throw new AppError("bad_request", `The header "${name}" must not be set.`);
    }
    if (!/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) {
      throw new AppError("bad_request", `The value of the header "${name}" holds a character that no header may hold.`);
    }
  }
}
