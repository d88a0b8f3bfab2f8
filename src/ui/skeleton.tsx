import { classNames } from "#ui/class-names.ts";

/** Where content will be in a moment. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={classNames("animate-pulse rounded-md bg-line/70", className)} />;
}

/** A list that is on its way. */
export function SkeletonRows({ count = 4 }: { count?: number }) {
  return (
    <div role="status" aria-label="Loading" className="grid gap-3 p-5">
      {Array.from({ length: count }, (_, index) => (
        <Skeleton key={index} className="h-8" />
      ))}
    </div>
  );
}
