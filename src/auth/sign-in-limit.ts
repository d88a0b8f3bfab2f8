import { RateLimiterMemory } from "rate-limiter-flexible";
import { stateCell } from "#lib/state.ts";

const cell = stateCell<RateLimiterMemory>("sign-in-limit");

/** Wrong passwords that an address may give before it must wait. */
export const wrongPasswordsMax = 10;
const windowSeconds = 15 * 60;

function limiter(): RateLimiterMemory {
  const known = cell.find();
  if (known) return known;
  const made = new RateLimiterMemory({ points: wrongPasswordsMax, duration: windowSeconds });
  cell.set(made);
  return made;
}

/** Counts one try to sign in as `email`, known or not. False where there were too many within 15 minutes. */
export async function countSignIn(email: string): Promise<boolean> {
  return limiter()
    .consume(email)
    .then(
      () => true,
      () => false,
    );
}

/** After a right password: earlier wrong ones do not count any more. */
export async function forgiveSignIn(email: string): Promise<void> {
  await limiter().delete(email);
}
