import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { Entrance } from "#app/(portal)/portal/entrance.tsx";
import { SignInForm } from "#app/(portal)/portal/sign-in/sign-in-form.tsx";
import { SingleSignOn } from "#app/(portal)/portal/sign-in/single-sign-on.tsx";
import { readPageSession } from "#auth/page-session.ts";
import { portalSettingsState } from "#auth/portal-settings.ts";

/** The page's title. */
export const metadata: Metadata = { title: "Sign in" };

/** Sign-in by e-mail address and password, and at the provider where there is one. Who is signed in goes on to where he wanted. */
export default async function SignInPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { next, error } = await searchParams;
  const target = toOwnPath(next);
  if (await readPageSession()) redirect(target);
  return (
    <Entrance title="Sign in" description="Your team's destinations, keys and deliveries are behind this door.">
      {portalSettingsState.get().oidc !== null && (
        <SingleSignOn next={target} error={typeof error === "string" ? error : null} />
      )}
      <SignInForm next={target} />
    </Entrance>
  );
}

/** A path of the portal; everything else would let a link lead people elsewhere after they signed in. */
function toOwnPath(next: unknown): string {
  return typeof next === "string" && /^\/portal(\/[\w%.~/-]*)?(\?[\w%.~=&/-]*)?$/.test(next) ? next : "/portal";
}
