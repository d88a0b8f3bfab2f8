/** The page of a list that an address names; the first where it names none. */
export function toPage(text: string): number {
  return Math.max(1, Math.trunc(Number(text)) || 1);
}
