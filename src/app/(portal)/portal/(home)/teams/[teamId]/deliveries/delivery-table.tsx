import {
  DeadLetterActions,
  SendNow,
} from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/dead-letter-actions.tsx";
import type { Outputs } from "#trpc/client.tsx";
import { Badge, type Tone } from "#ui/badge.tsx";
import { RelativeTime } from "#ui/relative-time.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

type Delivery = Outputs["deliveries"]["find"]["deliveries"][number];

const states: Record<Delivery["state"], { tone: Tone; label: string }> = {
  queued: { tone: "warn", label: "Waiting" },
  retrying: { tone: "warn", label: "Tried, waiting" },
  delivered: { tone: "good", label: "Delivered" },
  dead: { tone: "bad", label: "Failed" },
  suppressed: { tone: "off", label: "Suppressed" },
};

type DeliveryTableProps = { teamId: string; deliveries: readonly Delivery[]; mayManage: boolean };

/** Deliveries, what matters first where the screen is narrow, with the destination's own words, and for failed ones the way to send them again. */
export function DeliveryTable({ teamId, deliveries, mayManage }: DeliveryTableProps) {
  const hasActions = mayManage && deliveries.some(({ state }) => state === "dead" || state === "retrying");
  const head = ["State", "Destination", "Answer", "Record", ...(hasActions ? [""] : [])];
  return (
    <Table label="Deliveries" head={head} isStacked>
      {deliveries.map((delivery) => {
        const { tone, label } = states[delivery.state];
        return (
          <Row key={`${delivery.record_id} ${delivery.callback_id}`}>
            <Cell className="align-top">
              <Badge tone={tone}>{label}</Badge>
              {delivery.due_at !== null && delivery.tries > 0 && (
                <p className="pt-1 text-xs text-quiet">
                  Next <RelativeTime iso={delivery.due_at} />
                </p>
              )}
            </Cell>
            <Cell className="align-top">{delivery.callback_name ?? "Removed"}</Cell>
            <Cell className="w-full min-w-52 align-top wrap-anywhere">
              <Answer delivery={delivery} />
            </Cell>
            <Cell className="align-top">
              <span className="font-mono text-[0.8125rem] sm:whitespace-nowrap">{delivery.record_id}</span>
              {delivery.call_id !== delivery.record_id && (
                <p className="max-w-72 truncate font-mono text-xs text-quiet" title={delivery.call_id}>
                  Call {delivery.call_id}
                </p>
              )}
              <p className="text-xs text-quiet">
                <RelativeTime iso={delivery.created_at} />
              </p>
            </Cell>
            {hasActions && (
              <Cell className="align-top">
                <div className="flex gap-2 sm:justify-end">
                  <Actions teamId={teamId} delivery={delivery} />
                </div>
              </Cell>
            )}
          </Row>
        );
      })}
    </Table>
  );
}

function Actions({ teamId, delivery }: { teamId: string; delivery: Delivery }) {
  const { state, callback_id, record_id: what } = delivery;
  const selection = { teamId, callback_id, record_ids: [what] };
  if (state === "dead") return <DeadLetterActions selection={selection} what={what} isSmall />;
  return state === "retrying" ? <SendNow selection={selection} what={what} isSmall /> : null;
}

function Answer({ delivery: { state, status, message, tries } }: { delivery: Delivery }) {
  if (status === null && !message) return <span className="text-quiet">None yet</span>;
  // A destination that is down is asked as a whole now and then, which uses up no try of a log.
  const waits = state === "retrying" ? ", waits until the destination is back" : "";
  return (
    <>
      <p>
        {status === 0 ? "No answer" : status === null ? "Not sent" : `HTTP ${String(status)}`}
        <span className="text-quiet">{tries > 0 ? `, ${String(tries)} ${tries === 1 ? "try" : "tries"}` : waits}</span>
      </p>
      {message && <p className="text-[0.8125rem] break-words text-quiet">{message}</p>}
    </>
  );
}
