import type { Metadata } from "next";
import { Entrance } from "#app/(portal)/portal/entrance.tsx";
import { InvitationForm } from "#app/(portal)/portal/invitation/invitation-form.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Set your password" };

/** Where an invitation leads. Its secret is the fragment of the address, so that it stands in no log. */
export default function InvitationPage() {
  return (
    <Entrance title="Set your password" description="With it and your e-mail address you sign in from now on.">
      <InvitationForm />
    </Entrance>
  );
}
