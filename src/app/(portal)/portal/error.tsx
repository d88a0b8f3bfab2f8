"use client";

import { Entrance } from "#app/(portal)/portal/entrance.tsx";
import { Button } from "#ui/button.tsx";

/** What stands in the place of the portal where its frame broke: its files may be those of an earlier version. */
export default function PortalFault() {
  return (
    <Entrance
      title="The portal did not load"
      description="The gateway may have been updated or be away for a moment. Nothing that was saved is lost."
    >
      <Button onClick={() => window.location.reload()}>Try again</Button>
    </Entrance>
  );
}
