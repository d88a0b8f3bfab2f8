import { randomBytes } from "node:crypto";
import { type NextRequest, NextResponse } from "next/server";

/** Pages only: assets need no policy, and the API answers no HTML. */
export const config = { matcher: ["/((?!api/|_next/static/|_next/image).*)"] };

/**
 * Next's hook before every page: gives the answer a Content-Security-Policy whose nonce Next puts on its own scripts,
 * so an inline script from anywhere else does not run.
 */
export function proxy(request: NextRequest): NextResponse {
  const policy = contentSecurityPolicy(randomBytes(16).toString("base64"));
  const headers = new Headers(request.headers);
  // Next reads the nonce for its scripts from the request's policy.
  headers.set("content-security-policy", policy);
  // A page that needs a sign-in sends its visitor back to where he wanted to go.
  headers.set("x-sluice-path", request.nextUrl.pathname + request.nextUrl.search);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  response.headers.set("referrer-policy", "same-origin");
  response.headers.set("x-content-type-options", "nosniff");
  response.headers.set("x-frame-options", "DENY");
  return response;
}

function contentSecurityPolicy(nonce: string): string {
  // Next's development server evaluates code to show where an error came from.
  const evaluation = process.env.NODE_ENV === "development" ? " 'unsafe-eval'" : "";
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${evaluation}`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
