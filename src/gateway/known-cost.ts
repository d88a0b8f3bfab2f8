import { foreseeUnits } from "#gateway/billed-units.ts";
import type { RoutedCall } from "#gateway/call.ts";
import { costOf } from "#gateway/call-cost.ts";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import { noUsage } from "#logging/record.ts";

/**
 * What a call costs whose answer is passed on in pieces, where that is certain before the last of them: spoken sound is
 * billed by the text. Null where it is not: a stream tells its tokens at its end, and time is not over before.
 */
export function knownCost(
  { start, deployment }: RoutedCall,
  { headers }: Pick<ProviderAnswer, "headers">,
): number | null {
  const { operation, body } = start;
  const { prices } = deployment;
  const isByTime = prices !== null && (prices.inputSecond ?? prices.outputSecond) !== null;
  const isEvents = (headers["content-type"] ?? "").startsWith("text/event-stream");
  if (operation.name !== "speech" || isEvents || isByTime) return null;
  return costOf(noUsage, deployment, foreseeUnits(operation.name, body));
}
