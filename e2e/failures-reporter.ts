import type { FullResult, Reporter, Suite } from "@playwright/test/reporter";
import { tellFailure } from "../scripts/failures.mjs";

/** Repeats at the end of a run of Playwright why tests failed. */
export default class FailuresReporter implements Reporter {
  #suite: Suite | null = null;

  onBegin(_: unknown, suite: Suite): void {
    this.#suite = suite;
  }

  onEnd(_: FullResult): void {
    for (const test of this.#suite?.allTests() ?? []) {
      if (test.outcome() !== "unexpected") continue;
      const errors = test.results.flatMap((result) => result.errors);
      tellFailure(
        test.titlePath().join(" › "),
        errors.map((error) => error.message ?? error.value ?? ""),
      );
    }
  }
}
