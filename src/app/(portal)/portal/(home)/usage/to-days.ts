/** The range of days that an address names; 30 where it names none that there is. */
export function toDays(text: string): number {
  const days = Number(text);
  return days === 7 || days === 90 ? days : 30;
}
