"use client";

import { useState } from "react";
import { Button } from "#ui/button.tsx";
import { Notice } from "#ui/notice.tsx";

type SingleSignOnProps = {
  /** Where to go after it. */
  next: string;
  /** Why the last one opened nothing. */
  error: string | null;
};

/** Leads to the provider, and says why it did not work when people come back without an account. */
export function SingleSignOn({ next, error }: SingleSignOnProps) {
  const [isPending, setIsPending] = useState(false);
  return (
    <div className="mb-4 grid gap-4">
      {error !== null && <Notice tone="bad">{toWords(error)}</Notice>}
      <Button
        kind="primary"
        isPending={isPending}
        onClick={() => {
          setIsPending(true);
          void import("next-auth/react")
            .then(({ signIn }) => signIn("oidc", { callbackUrl: next }))
            .catch(() => setIsPending(false));
        }}
      >
        Continue with single sign-on
      </Button>
      <p className="text-center text-sm text-quiet">or with your password</p>
    </div>
  );
}

function toWords(error: string): string {
  switch (error) {
    case "unverified_email":
      return "The provider has not verified your e-mail address. Verify it there, then try again.";
    case "other_person":
      return "This e-mail address belongs to another person's account here. Ask an administrator.";
    default:
      return "The sign-in at the provider did not work. Try again; if it stays so, ask an administrator.";
  }
}
