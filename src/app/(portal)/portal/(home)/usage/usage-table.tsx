import Link from "next/link";
import { toCompact, toCount, toMoney, toShare } from "#app/(portal)/portal/(home)/usage/amounts.ts";
import type { Report } from "#app/(portal)/portal/(home)/usage/usage-report.tsx";
import { Card, CardHeader } from "#ui/card.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

type UsageRow = Report["total"] & { id: string; name: string; href?: string | null };

/** What usage is made of, the dearest first; nothing where there is none. */
export function UsageTable({ title, of, rows }: { title: string; of: string; rows: readonly UsageRow[] }) {
  if (rows.length === 0) return null;
  const all = rows.reduce((sum, { usd }) => sum + usd, 0);
  return (
    <Card>
      <CardHeader title={title} />
      <Table label={title} head={[of, "Cost", "Share", "Calls", "Failed", "Input tokens", "Output tokens"]}>
        {rows.map((row) => (
          <Row key={row.id}>
            <Cell className="max-w-72 min-w-40 font-medium wrap-anywhere">
              {row.href ? (
                <Link href={row.href} className="hover:underline">
                  {row.name}
                </Link>
              ) : (
                row.name
              )}
            </Cell>
            <Cell className="tabular-nums">{toMoney(row.usd)}</Cell>
            <Cell className="whitespace-nowrap text-quiet tabular-nums">{toShare(row.usd, all)}</Cell>
            <Cell className="tabular-nums">{toCount(row.calls)}</Cell>
            <Cell className="tabular-nums">{toCount(row.failures)}</Cell>
            <Cell className="tabular-nums">{toCompact(row.prompt_tokens)}</Cell>
            <Cell className="tabular-nums">{toCompact(row.completion_tokens)}</Cell>
          </Row>
        ))}
      </Table>
    </Card>
  );
}
