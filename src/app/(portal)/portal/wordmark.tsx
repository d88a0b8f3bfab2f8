/** The product's sign: a gate that parts one stream into three. */
export function Wordmark({ className = "" }: { className?: string }) {
  return (
    <span className={`inline-flex items-center gap-2 font-semibold tracking-tight ${className}`}>
      <svg
        viewBox="0 0 24 24"
        className="size-6 text-accent"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        aria-hidden
      >
        <path d="M2 12h6M8 12c5 0 5-7 10-7h4M8 12h14M8 12c5 0 5 7 10 7h4" strokeLinecap="round" />
        <circle cx="8" cy="12" r="2.25" fill="currentColor" stroke="none" />
      </svg>
      Sluice
    </span>
  );
}
