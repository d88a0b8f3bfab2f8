import { z } from "zod";

const Csrf = z.object({ csrfToken: z.string() });

/** Signs in without a browser. Returns the Cookie header of the session. */
export async function portalCookie(url: string, sign: { email: string; password: string }): Promise<string> {
  const first = await fetch(`${url}/api/auth/csrf`);
  const { csrfToken } = Csrf.parse(await first.json());
  const answer = await fetch(`${url}/api/auth/callback/credentials`, {
    method: "POST",
    headers: { cookie: cookiesOf(first), "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ ...sign, csrfToken, json: "true" }),
    redirect: "manual",
  });
  const cookie = cookiesOf(answer);
  if (!cookie.includes("sluice.session=")) throw new Error(`The sign-in was answered ${String(answer.status)}.`);
  return cookie;
}

function cookiesOf(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");
}
