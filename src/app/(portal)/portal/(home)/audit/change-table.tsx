import { describeChange } from "#app/(portal)/portal/(home)/audit/audit-words.ts";
import { changedFields } from "#app/(portal)/portal/(home)/audit/changed-fields.ts";
import type { Outputs } from "#trpc/client.tsx";
import { RelativeTime } from "#ui/relative-time.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

type Change = Outputs["audit"]["all"]["changes"][number];

/** Changes, the newest first: what was done to what, by whom, and on demand each field before and after. */
export function ChangeTable({ changes }: { changes: readonly Change[] }) {
  return (
    <Table label="Changes" head={["Change", "By", "When"]}>
      {changes.map((change) => (
        <Row key={change.id}>
          <Cell className="max-w-lg min-w-60 align-top">
            <p className="wrap-anywhere">
              {describeChange(change)}{" "}
              <span className="font-medium">{change.object_name ?? shorten(change.object_id)}</span>
            </p>
            <Fields change={change} />
          </Cell>
          <Cell className="max-w-64 min-w-32 align-top">
            <span className="wrap-anywhere">{change.actor_name ?? change.actor}</span>
            {change.changed_by !== null && (
              <p className="text-xs wrap-anywhere text-quiet">on behalf of {change.changed_by}</p>
            )}
          </Cell>
          <Cell className="align-top text-quiet">
            <RelativeTime iso={change.at} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function Fields({ change: { before, after } }: { change: Change }) {
  const fields = changedFields(before, after);
  if (fields.length === 0) return null;
  return (
    <details>
      <summary className="w-fit text-[0.8125rem] text-quiet hover:text-ink">
        {fields.length} {fields.length === 1 ? "field" : "fields"}
      </summary>
      <dl className="mt-1 grid gap-1.5 rounded-md bg-sunken p-3 font-mono text-xs">
        {fields.map(({ path, before: old, after: fresh }) => (
          <div key={path} className="grid gap-0.5">
            <dt className="text-quiet wrap-anywhere">{path}</dt>
            <dd className="grid gap-0.5 wrap-anywhere">
              {old !== undefined && <del>{old}</del>}
              {fresh !== undefined && <ins className="no-underline">{fresh}</ins>}
              {fresh === undefined && <span className="text-quiet">removed</span>}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function shorten(id: string): string {
  return id.length > 40 ? `${id.slice(0, 12)}…` : id;
}
