"use client";

import { lazy, type ReactNode, Suspense } from "react";

/** A dialog with what is in it. */
export type DialogProps = {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  /** True where it must be answered: neither Escape, nor a click beside it, nor a cross closes it. */
  mustAnswer?: boolean;
  className?: string;
};

const Frame = lazy(() => import("#ui/dialog-frame.tsx").then(({ DialogFrame }) => ({ default: DialogFrame })));

/** A question or a form over the page; the focus stays inside until it is answered. */
export function Dialog(dialog: DialogProps) {
  if (!dialog.isOpen) return null;
  return (
    <Suspense fallback={null}>
      <Frame {...dialog} />
    </Suspense>
  );
}

/** The buttons at the end of a dialog or a form. */
export function Actions({ children }: { children: ReactNode }) {
  return <div className="flex flex-wrap items-center justify-end gap-2 pt-1">{children}</div>;
}
