import type { FullResult, Reporter, Suite, TestCase } from "@playwright/test/reporter";

const escapes = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, "g");
const linesMax = 12;

/** Repeats at the very end, a few lines a test, why tests failed: a log of which only the end was kept still tells. */
export default class FailuresReporter implements Reporter {
  #suite: Suite | null = null;

  onBegin(_: unknown, suite: Suite): void {
    this.#suite = suite;
  }

  onEnd(_: FullResult): void {
    for (const test of this.#suite?.allTests() ?? []) {
      if (test.outcome() === "unexpected") console.log(`\n${test.titlePath().join(" › ")}\n${reasonOf(test)}`);
    }
  }
}

function reasonOf(test: TestCase): string {
  const messages = test.results.flatMap(({ errors }) => errors.map((error) => error.message ?? error.value ?? ""));
  const lines = messages.join("\n").replaceAll(escapes, "").split("\n");
  return lines
    .filter((line) => line.trim() !== "")
    .slice(0, linesMax)
    .map((line) => `  ${line.slice(0, 300)}`)
    .join("\n");
}
