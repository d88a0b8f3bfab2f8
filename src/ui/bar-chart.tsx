"use client";

import { useState } from "react";
import { Cell, Row, Table } from "#ui/table.tsx";

const fills = { accent: "fill-accent", good: "fill-good", warn: "fill-warn", bad: "fill-bad" } as const;

/** One kind of value, the same in every bar. */
export type Series = { name: string; tone: keyof typeof fills };

/** One bar: what it stands for, and a value of each series, from the bottom up. */
export type Bar = { name: string; values: readonly number[] };

type BarChartProps = {
  /** What the chart shows, as a title of its own. */
  label: string;
  /** What the bars stand for: Day, Hour. */
  of: string;
  series: readonly Series[];
  bars: readonly Bar[];
  format: (value: number) => string;
};

/** Stacked bars over time, drawn with attributes alone, and the same figures as a table for who cannot see or compare them. */
export function BarChart({ label, of, series, bars, format }: BarChartProps) {
  const [isTableOpen, setTableOpen] = useState(false);
  const top = Math.max(...bars.map(({ values }) => sum(values)), 0);
  return (
    <figure className="grid min-w-0 gap-2">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 text-xs text-quiet">
        <span className="tabular-nums">{top === 0 ? "Nothing yet" : `Up to ${format(top)}`}</span>
        {series.length > 1 && <Legend series={series} />}
      </div>
      <svg
        role="img"
        aria-label={`${label}. The figures are in the table below.`}
        viewBox={`0 0 ${String(bars.length * 10)} 100`}
        preserveAspectRatio="none"
        className="h-40 w-full border-b"
      >
        {bars.map((bar, index) => (
          <BarColumn key={bar.name} bar={bar} x={index * 10} {...{ series, top, format }} />
        ))}
      </svg>
      <div className="flex justify-between text-xs text-quiet" aria-hidden>
        <span>{bars[0]?.name}</span>
        <span>{bars.at(-1)?.name}</span>
      </div>
      <details className="min-w-0" onToggle={(event) => setTableOpen(event.currentTarget.open)}>
        <summary className="w-fit text-[0.8125rem] text-quiet hover:text-ink">As a table</summary>
        {isTableOpen && <FigureTable {...{ label, of, series, bars, format }} />}
      </details>
    </figure>
  );
}

/** The figures of the bars, the last one first; drawn once somebody opens it. */
function FigureTable({ label, of, series, bars, format }: BarChartProps) {
  return (
    <div className="mt-2 max-h-72 overflow-y-auto rounded-lg border">
      <Table label={label} head={[of, ...series.map(({ name }) => name)]}>
        {bars.toReversed().map(({ name, values }) => (
          <Row key={name}>
            <Cell className="whitespace-nowrap">{name}</Cell>
            {values.map((value, index) => (
              <Cell key={index} className="tabular-nums">
                {format(value)}
              </Cell>
            ))}
          </Row>
        ))}
      </Table>
    </div>
  );
}

function Legend({ series }: { series: readonly Series[] }) {
  return (
    <ul className="flex flex-wrap gap-x-3">
      {series.map(({ name, tone }) => (
        <li key={name} className="flex items-center gap-1.5">
          <svg viewBox="0 0 10 10" className="size-2.5" aria-hidden>
            <rect width="10" height="10" rx="2" className={fills[tone]} />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}

type ColumnProps = {
  bar: Bar;
  x: number;
  series: readonly Series[];
  top: number;
  format: (value: number) => string;
};

function BarColumn({ bar: { name, values }, x, series, top, format }: ColumnProps) {
  const words = series.map(({ name: kind }, index) => `${kind} ${format(values[index] ?? 0)}`).join(", ");
  return (
    <g className="hover:opacity-75">
      <title>{`${name}: ${words}`}</title>
      <rect x={x} y="0" width="10" height="100" className="fill-transparent" />
      {series.map(({ tone }, index) => {
        const height = top === 0 ? 0 : ((values[index] ?? 0) / top) * 100;
        const below = top === 0 ? 0 : (sum(values.slice(0, index)) / top) * 100;
        return (
          <rect key={index} x={x + 1} y={100 - below - height} width="8" height={height} className={fills[tone]} />
        );
      })}
    </g>
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
