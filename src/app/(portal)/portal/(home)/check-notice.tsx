import type { Outputs } from "#trpc/client.tsx";
import { Notice } from "#ui/notice.tsx";

const words = {
  healthy: { tone: "good", title: "It takes records" },
  unhealthy: { tone: "bad", title: "It does not take records" },
  unverified: { tone: "warn", title: "Nothing proves that it takes records" },
} as const;

/** What a destination answered when it was asked just now. */
export function CheckNotice({ check, label }: { check: Outputs["callbacks"]["test"]; label?: string }) {
  const { tone, title } = words[check.state];
  return (
    <Notice tone={tone} title={label === undefined ? title : `${label}: ${title.toLowerCase()}`}>
      <p>{check.message}</p>
      <p className="text-[0.8125rem] text-quiet">
        {check.target !== null && `${check.target}, `}
        {check.latency_ms} ms
      </p>
    </Notice>
  );
}
