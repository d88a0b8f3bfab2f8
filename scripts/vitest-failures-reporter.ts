import type { Reporter, SerializedError, TestModule } from "vitest/node";
import { tellFailure } from "./failures.mjs";

/** Repeats at the end of a run of vitest why tests failed, files that could not be run and errors of no test included. */
export default class FailuresReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    for (const module of modules) {
      const ownErrors = module.errors();
      if (ownErrors.length > 0) tellFailure(module.relativeModuleId, ownErrors.map(toText));
      for (const test of module.children.allTests("failed")) {
        tellFailure(`${module.relativeModuleId} › ${test.fullName}`, (test.result().errors ?? []).map(toText));
      }
      for (const suite of module.children.allSuites()) {
        const errors = suite.errors();
        if (errors.length > 0) tellFailure(`${module.relativeModuleId} › ${suite.fullName}`, errors.map(toText));
      }
    }
    for (const error of unhandled) tellFailure("An error outside of all tests", [toText(error)]);
  }
}

function toText(error: SerializedError): string {
  const at = error.stacks?.[0];
  const place = at ? `\nat ${at.file}:${at.line}:${at.column}` : "";
  return `${error.name ?? "Error"}: ${error.message}${place}${error.cause ? `\n${toText(error.cause)}` : ""}`;
}
