"use client";

import { standardSchemaResolver } from "@hookform/resolvers/standard-schema";
import { useMutation } from "@tanstack/react-query";
import { signIn } from "next-auth/react";
import { useForm } from "react-hook-form";
import * as z from "zod/mini";
import { toFault, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Field } from "#ui/field.tsx";
import { Input } from "#ui/input.tsx";
import { Notice } from "#ui/notice.tsx";
import { useIsAlive } from "#ui/use-is-alive.ts";

const Form = z
  .object({ password: z.string().check(z.minLength(10, "Use 10 characters or more.")), again: z.string() })
  .check(z.refine(({ password, again }) => password === again, { path: ["again"], error: "The passwords differ." }));

/** Sets the password of the invited user and signs him in. */
export function InvitationForm() {
  const accept = useMutation(useTRPC().account.acceptInvitation.mutationOptions());
  const form = useForm({ resolver: standardSchemaResolver(Form), defaultValues: { password: "", again: "" } });
  const { errors, isSubmitting } = form.formState;
  // Until then the browser would send the form itself, with the password in the address.
  const isAlive = useIsAlive();

  async function submit({ password }: z.output<typeof Form>): Promise<void> {
    const { email } = await accept.mutateAsync({ secret: window.location.hash.slice(1), password });
    const result = await signIn("credentials", { email, password, redirect: false });
    window.location.assign(result?.ok ? "/portal" : "/portal/sign-in");
  }

  return (
    <form
      className="grid gap-4"
      noValidate
      onSubmit={(event) =>
        void form
          .handleSubmit(submit)(event)
          .catch(() => undefined)
      }
    >
      {accept.error && <Notice tone="bad">{toFault(accept.error).message}</Notice>}
      <Field label="Password" hint="10 characters or more." error={errors.password?.message}>
        {(control) => (
          <Input {...control} {...form.register("password")} type="password" autoComplete="new-password" autoFocus />
        )}
      </Field>
      <Field label="Password again" error={errors.again?.message}>
        {(control) => <Input {...control} {...form.register("again")} type="password" autoComplete="new-password" />}
      </Field>
      <Button kind="primary" type="submit" disabled={!isAlive} isPending={isSubmitting}>
        Set password and sign in
      </Button>
    </form>
  );
}
