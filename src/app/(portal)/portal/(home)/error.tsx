"use client";

import { PageHeader } from "#ui/page-header.tsx";
import { Button } from "#ui/button.tsx";

/** What stands in the place of a page that broke, beside the navigation: its files may be those of an earlier version. */
export default function PageFault() {
  return (
    <PageHeader
      title="This page did not load"
      description="The gateway may have been updated or be away for a moment. Nothing that was saved is lost."
    >
      <Button onClick={() => window.location.reload()}>Try again</Button>
    </PageHeader>
  );
}
