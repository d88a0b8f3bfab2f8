import type { FakeLangfuse } from "../fakes/langfuse.ts";
import { admin, until } from "../rest/admin.ts";
import type { SluiceProcess } from "../sluice-process.ts";

type TeamName = "search" | "support";

/** Who calls, and whose destination refuses records for a while. */
export type Traffic = {
  keys: Record<TeamName, readonly string[]>;
  langfuse: FakeLangfuse;
  refusedProjectId: string;
};

const callCount = 420;
const together = 6;

const models = ["assistant-small", "assistant-large", "assistant-small", "summarizer", "assistant-large"];
const prompts: Record<TeamName, readonly string[]> = {
  search: [
    "Rewrite this query so that it finds more: waterproof hiking boots size 43",
    "Which of these ten results answers the question best, and why?",
    "Extract the brand, the colour and the price range from: red Nike shoes under 80 euros",
    "Summarize this product page in two sentences for the results list.",
  ],
  support: [
    "A customer writes that his parcel arrived empty. Draft a friendly answer.",
    "Sort this ticket into one of: billing, delivery, returns, other.",
    "Translate the answer below into Dutch, and keep the order number as it is.",
    "Does this conversation need a person? Say yes or no, and why.",
  ],
};

/** Makes the calls of a week, within seconds. Some fail; for a while one project takes no records. */
export async function callAsTeams(sluice: SluiceProcess, traffic: Traffic): Promise<void> {
  const { langfuse, refusedProjectId: projectId } = traffic;
  for (let first = 0; first < callCount; first += together) {
    if (first === 210) {
      const body = { message: "metadata.customer: must be a string of at most 200 characters" };
      langfuse.setBehaviour({ projectId, status: 400, body });
    }
    if (first === 240) {
      await settle(sluice, ["support"]);
      langfuse.setBehaviour({});
    }
    const numbers = Array.from({ length: together }, (_, position) => first + position);
    await Promise.all(numbers.map((number) => call(sluice, number, traffic)));
  }
}

/** Waits until nothing is under way any more but to the destination that is down. */
export async function settle(sluice: SluiceProcess, teams: readonly TeamName[]): Promise<void> {
  for (const team of teams) {
    await until(`the logs of ${team} have arrived`, async () => {
      const { body } = await admin(sluice, `/v1/deliveries?team_id=${team}&state=pending`);
      const rows: unknown[] = Array.isArray(body["deliveries"]) ? body["deliveries"] : [];
      return rows.every((row) => JSON.stringify(row).includes('"callback_name":"webhook"'));
    });
  }
}

async function call(sluice: SluiceProcess, number: number, { keys }: Traffic): Promise<void> {
  const team: TeamName = number % 5 < 3 ? "search" : "support";
  const key = pick(keys[team], number * 7 + Math.floor(number / 11));
  const content = pick(prompts[team], number * 3 + Math.floor(number / 7));
  const model = number % 29 === 7 ? "summarizer-preview" : pick(models, number + Math.floor(number / 5));
  const answer = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream: number % 4 === 0, messages: [{ role: "user", content }] }),
  });
  await answer.text();
  if (!answer.ok && model !== "summarizer-preview") throw new Error(`A call of the demo got ${String(answer.status)}.`);
}

function pick<Item>(items: readonly Item[], number: number): Item {
  const item = items[number % items.length];
  if (item === undefined) throw new Error("There is nothing to pick from.");
  return item;
}
