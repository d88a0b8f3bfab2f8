"use client";

import { standardSchemaResolver } from "@hookform/resolvers/standard-schema";
import { signIn } from "next-auth/react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import * as z from "zod/mini";
import { Button } from "#ui/button.tsx";
import { Field } from "#ui/field.tsx";
import { Input } from "#ui/input.tsx";
import { Notice } from "#ui/notice.tsx";

const Form = z.object({
  email: z.string().check(z.trim(), z.minLength(1, "Your e-mail address is missing.")),
  password: z.string().check(z.minLength(1, "Your password is missing.")),
});

/** Signs in, or says why not. */
export function SignInForm({ next }: { next: string }) {
  const [fault, setFault] = useState<string | null>(null);
  const form = useForm({ resolver: standardSchemaResolver(Form), defaultValues: { email: "", password: "" } });
  const { errors, isSubmitting } = form.formState;

  async function submit({ email, password }: z.output<typeof Form>): Promise<void> {
    setFault(null);
    const result = await signIn("credentials", { email, password, redirect: false }).catch(() => undefined);
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
        {(control) => <Input {...control} {...form.register("email")} type="email" autoComplete="username" autoFocus />}
      </Field>
      <Field label="Password" error={errors.password?.message}>
        {(control) => (
          <Input {...control} {...form.register("password")} type="password" autoComplete="current-password" />
        )}
      </Field>
      <Button kind="primary" type="submit" isPending={isSubmitting}>
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
