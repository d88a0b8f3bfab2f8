"use client";

import { ChartColumn } from "lucide-react";
import type { ReactNode } from "react";
import { toCompact, toCount, toMoney, toShare } from "#app/(portal)/portal/(home)/usage/amounts.ts";
import { downloadCsv } from "#app/(portal)/portal/(home)/usage/download-csv.ts";
import { toDays } from "#app/(portal)/portal/(home)/usage/to-days.ts";
import { UsageTable } from "#app/(portal)/portal/(home)/usage/usage-table.tsx";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import type { Outputs } from "#trpc/client.tsx";
import { BarChart } from "#ui/bar-chart.tsx";
import { Button } from "#ui/button.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { EmptyState } from "#ui/empty-state.tsx";
import { Figures } from "#ui/figures.tsx";
import { Select } from "#ui/input.tsx";

export type Report = Outputs["usage"]["ofTeam"];
type Day = Report["days"][number];

const measures = {
  cost: { label: "Cost", series: [{ name: "Cost", tone: "accent" }], read: ({ usd }: Day) => [usd], format: toMoney },
  calls: {
    label: "Calls",
    series: [
      { name: "Answered", tone: "accent" },
      { name: "Failed", tone: "bad" },
    ],
    read: ({ calls, failures }: Day) => [calls - failures, failures],
    format: toCount,
  },
  tokens: {
    label: "Tokens",
    series: [
      { name: "Input", tone: "accent" },
      { name: "Output", tone: "warn" },
    ],
    read: ({ prompt_tokens, completion_tokens }: Day) => [prompt_tokens, completion_tokens],
    format: toCompact,
  },
} as const;

/** The range of days that the address asks for. */
export function useDays(): number {
  return toDays(useAddress().read("days"));
}

/** The choice of the range of days, kept in the address. */
export function DaysSelect() {
  const { change } = useAddress();
  return (
    <Select
      aria-label="Range"
      className="w-40"
      value={String(useDays())}
      onChange={(event) => change({ days: event.target.value === "30" ? "" : event.target.value })}
    >
      <option value="7">Last 7 days</option>
      <option value="30">Last 30 days</option>
      <option value="90">Last 90 days</option>
    </Select>
  );
}

type UsageReportProps = {
  report: Report;
  keyLink: ((token: string) => string) | null;
  /** What to do where nobody has called yet. */
  start?: ReactNode;
  children?: ReactNode;
};

/** Calls, tokens and cost over time, and what they are made of. */
export function UsageReport({ report, keyLink, start, children }: UsageReportProps) {
  const { total, models, keys, days } = report;
  return (
    <>
      <Figures
        figures={[
          { label: "Cost", value: toMoney(total.usd) },
          { label: "Calls", value: toCount(total.calls) },
          { label: "Failed", value: toCount(total.failures), note: `${toShare(total.failures, total.calls)} of calls` },
          {
            label: "Tokens",
            value: toCompact(total.prompt_tokens + total.completion_tokens),
            note: `${toCompact(total.prompt_tokens)} in, ${toCompact(total.completion_tokens)} out`,
          },
        ]}
      />
      {children}
      {total.calls === 0 ? (
        <Card>
          <EmptyState icon={ChartColumn} title="No call in these days" action={start}>
            Every call is counted here, also those that are not logged.
          </EmptyState>
        </Card>
      ) : (
        <ChartCard days={days} />
      )}
      <UsageTable
        title="By model"
        of="Model"
        rows={models.map(({ model, ...usage }) => ({
          id: model,
          name: model === "" ? "Reached no model" : model,
          ...usage,
        }))}
      />
      <UsageTable
        title="By key"
        of="Key"
        rows={keys.map(({ token, name, ...usage }) => ({
          id: token,
          name: name ?? `Deleted key ${token.slice(0, 8)}…`,
          href: name === null || keyLink === null ? null : keyLink(token),
          ...usage,
        }))}
      />
    </>
  );
}

function ChartCard({ days }: { days: Report["days"] }) {
  const { read, change } = useAddress();
  const chosen = read("measure");
  const name = chosen === "calls" || chosen === "tokens" ? chosen : "cost";
  const measure = measures[name];
  return (
    <Card>
      <CardHeader title={`${measure.label} by day`} description="Days are UTC days.">
        <Select
          aria-label="Measure"
          className="w-32"
          value={name}
          onChange={(event) => change({ measure: event.target.value === "cost" ? "" : event.target.value })}
        >
          {Object.entries(measures).map(([value, { label }]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
        <Button onClick={() => downloadCsv("usage.csv", days)}>Export CSV</Button>
      </CardHeader>
      <CardBody>
        <BarChart
          label={`${measure.label} by day`}
          of="Day"
          series={measure.series}
          bars={days.map((day) => ({ name: day.day, values: measure.read(day) }))}
          format={measure.format}
        />
      </CardBody>
    </Card>
  );
}
