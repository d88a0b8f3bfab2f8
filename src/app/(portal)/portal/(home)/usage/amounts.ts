const usd = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });
const smallUsd = new Intl.NumberFormat("en", { style: "currency", currency: "USD", maximumSignificantDigits: 2 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** Money in dollars; of less than ten cents, two digits that say something. */
export function toMoney(amount: number): string {
  return amount > 0 && amount < 0.1 ? smallUsd.format(amount) : usd.format(amount);
}

/** A count in full. */
export function toCount(count: number): string {
  return whole.format(count);
}

/** A count in three or four signs, for tokens. */
export function toCompact(count: number): string {
  return count < 10_000 ? whole.format(count) : compact.format(count);
}

/** A part of a whole in percent; nothing of nothing is none. */
export function toShare(part: number, all: number): string {
  return `${all === 0 ? "0" : ((part / all) * 100).toFixed(part > 0 && part / all < 0.1 ? 1 : 0)} %`;
}
