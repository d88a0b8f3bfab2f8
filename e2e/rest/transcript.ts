import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { isObject, parseJson } from "../fakes/fake-server.ts";

/** A command of a document, and the answer that the document shows below it, if any. */
export type Step = { command: string; shown: string | null };

/**
 * What a document shows in the place of what a run really has, longer texts before their parts. The keys of earlier
 * answers are added to it.
 */
export type Replacements = Map<string, string>;

const statusMark = "\n~~status ";

/** The text below a heading of second rank; throws where there is none. */
export function sectionOf(markdown: string, heading: string): string {
  const section = markdown.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`There is no section "${heading}".`);
  return section;
}

/** The `sh` blocks with a `curl` in them, each with the `text` block that follows it directly. */
export function stepsOf(section: string): Step[] {
  const blocks = blocksOf(section);
  return blocks.flatMap(({ language, text }, index) => {
    if (language !== "sh" || !/^curl /m.test(text)) return [];
    const next = blocks[index + 1];
    return [{ command: text, shown: next?.language === "text" ? next.text : null }];
  });
}

/** The fenced blocks of a section, in order. */
export function blocksOf(section: string): { language: string; text: string }[] {
  return [...section.matchAll(/^```(\w+)\n(.*?)\n```$/gms)].map(([, language = "", text = ""]) => ({ language, text }));
}

/**
 * Runs a command in bash, and gives what is wrong with the answer, empty where all is as shown: a `curl` that failed, a
 * status other than the shown one (200 where none is shown), a header or a field that is missing, is too much or differs.
 * A key that the answer hands out is replaced from then on.
 */
export async function runStep(
  { command, shown }: Step,
  replacements: Replacements,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<string[]> {
  const curl = `curl() { command curl -sS --noproxy '*' --max-time 30 --write-out '\\n~~status %{http_code}\\n' "$@"; }`;
  const real = [...replacements].reduce((text, [from, to]) => text.replaceAll(from, to), command);
  const { stdout } = await promisify(execFile)("bash", ["-euc", `${curl}\n${real}`], options);
  const statuses = [...stdout.matchAll(/^~~status (\d+)$/gm)].map(([, status = ""]) => status);
  const wanted = /^HTTP\/\S+ (\d+)/.exec(shown ?? "")?.[1] ?? "200";
  if (statuses.length === 0 || statuses.some((status) => status !== wanted)) return [`${wanted} expected: ${stdout}`];
  if (shown === null) return [];
  const answer = stdout.slice(0, stdout.indexOf(statusMark));
  learnKey(shown, answer, replacements);
  const received = [...replacements].reduce((text, [from, to]) => text.replaceAll(to, from), answer);
  return findDifferences(shown, received).map((difference) => `${difference} in ${received}`);
}

/** How an answer differs from what is shown of it. `…` stands for any text, and between fields for any other fields. */
export function findDifferences(shown: string, received: string): string[] {
  const [expected, actual] = [splitAnswer(shown), splitAnswer(received)];
  const missing = expected.head.filter((line) => line !== "…" && !actual.head.some((real) => isLike(line, real)));
  const body = parseJson(expected.body.replace(/…(?=\s*[,}])/g, '"…":"…"'));
  if (body === undefined || body === null) return [`What is shown is no JSON: ${expected.body}`];
  return [...missing.map((line) => `No header "${line}"`), ...compare(body, parseJson(actual.body), "body")];
}

function learnKey(shown: string, received: string, replacements: Replacements): void {
  const [from, to] = [shown, received].map((text) => /^\{"key":"(sk-[\w-]+)"/.exec(text)?.[1]);
  if (from !== undefined && to !== undefined) replacements.set(from, to);
}

/** An answer of `curl -i` has a head, up to the empty line. */
function splitAnswer(text: string): { head: string[]; body: string } {
  const lines = text.replaceAll("\r\n", "\n");
  if (!lines.startsWith("HTTP/")) return { head: [], body: lines };
  const end = lines.indexOf("\n\n");
  return { head: lines.slice(0, end).split("\n"), body: lines.slice(end + 2) };
}

function isLike(shown: string, received: string): boolean {
  const pattern = shown.split("…").map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`, "s").test(received);
}

function compare(shown: unknown, received: unknown, path: string): string[] {
  if (Array.isArray(shown) && Array.isArray(received) && shown.length === received.length) {
    return shown.flatMap((entry, index) => compare(entry, received[index], `${path}[${index}]`));
  }
  if (isObject(shown) && isObject(received)) {
    const names = Object.keys(shown).filter((name) => name !== "…");
    const others = "…" in shown ? [] : Object.keys(received).filter((name) => !names.includes(name));
    return [
      ...others.map((name) => `${path}.${name} is not shown`),
      ...names.flatMap((name) => compare(shown[name], received[name], `${path}.${name}`)),
    ];
  }
  const isSame =
    typeof shown === "string" && typeof received === "string"
      ? isLike(shown, received)
      : JSON.stringify(shown) === JSON.stringify(received);
  return isSame ? [] : [`${path} is ${JSON.stringify(received)}, not ${JSON.stringify(shown)}`];
}
