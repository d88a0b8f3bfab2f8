"use client";

import { useState } from "react";
import { useForm } from "react-hook-form";
import { Button } from "#ui/button.tsx";
import { Field } from "#ui/field.tsx";
import { Input } from "#ui/input.tsx";
import { Notice } from "#ui/notice.tsx";
import { useIsAlive } from "#ui/use-is-alive.ts";

type Entries = { email: string; password: string };

/** Signs in, or says why not. */
export function SignInForm({ next }: { next: string }) {
  const [fault, setFault] = useState<string | null>(null);
  const form = useForm<Entries>({ defaultValues: { email: "", password: "" } });
  const { errors, isSubmitting } = form.formState;
  // Until then the browser would send the form itself, with the password in the address.
  const isAlive = useIsAlive();

  async function submit({ email, password }: Entries): Promise<void> {
    setFault(null);
    const result = await import("next-auth/react")
      .then(({ signIn }) => signIn("credentials", { email: email.trim(), password, redirect: false }))
      .catch(() => undefined);
    if (result?.ok) {
      window.location.assign(next);
      return;
    }
    setFault(toWords(result?.error ?? null));
  }

  return (
    <form className="grid gap-4" noValidate onSubmit={(event) => void form.handleSubmit(submit)(event)}>
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      <Field label="E-mail" error={errors.email?.message}>
        {(control) => (
          <Input
            {...control}
            {...form.register("email", {
              validate: (email) => email.trim() !== "" || "Your e-mail address is missing.",
            })}
            type="email"
            autoComplete="username"
            autoFocus
          />
        )}
      </Field>
      <Field label="Password" error={errors.password?.message}>
        {(control) => (
          <Input
            {...control}
            {...form.register("password", { required: "Your password is missing." })}
            type="password"
            autoComplete="current-password"
          />
        )}
      </Field>
      <Button kind="primary" type="submit" disabled={!isAlive} isPending={isSubmitting}>
        Sign in
      </Button>
    </form>
  );
}

function toWords(error: string | null): string {
  switch (error) {
    case "CredentialsSignin":
      return "E-mail address or password is wrong.";
    case "too_many_tries":
      return "Too many tries for this address. Wait 15 minutes, then try again.";
    default:
      return "The sign-in did not work. If this address is not the gateway's own, its operator must set NEXTAUTH_URL.";
  }
}
