import { AppError } from "#lib/errors.ts";

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** The last moment that an ISO time with four digits for the year can name. */
const lastMs = Date.UTC(9999, 11, 31);

/**
 * The moment `duration` after `from`: a number and `s`, `m`, `h`, `d`, `w` or `mo` (calendar months), as LiteLLM writes
 * it. Throws `bad_request` with `param` where the text is none or leads past the year 9999.
 */
export function addDuration(from: Date, duration: string, param: string): Date {
  const [, digits = "", unit = ""] = /^(\d{1,12})(mo|[smhdw])$/.exec(duration.trim()) ?? [];
  if (digits === "") {
    throw new AppError("bad_request", `Invalid ${param}: write a number and s, m, h, d, w or mo, such as 30d.`, {
      param,
    });
  }
  const end = unit === "mo" ? addMonths(from, Number(digits)) : from.getTime() + Number(digits) * (unitMs[unit] ?? 0);
  if (!(end <= lastMs)) throw new AppError("bad_request", `Invalid ${param}: it is too long.`, { param });
  return new Date(end);
}

/** The same day some months later, or the last day of that month where it is shorter. */
function addMonths(from: Date, months: number): number {
  const end = new Date(from);
  end.setUTCMonth(from.getUTCMonth() + months);
  if (end.getUTCDate() !== from.getUTCDate()) end.setUTCDate(0);
  return end.getTime();
}
