import type { ConfigDocument, ConfigPath } from "#lib/config-document.ts";
import { AppError } from "#lib/errors.ts";

/** Collects what is wrong with a configuration file, so that one start shows all of it. */
export type ConfigReport = {
  /** Notes a fault that stops the start. `text` says what is wrong and how to fix it, and holds no secret. */
  error(path: ConfigPath, text: string): void;
  /** Notes something that the operator should know. */
  warning(path: ConfigPath, text: string): void;
  /** The line of a path, counted from 1. */
  lineOf(path: ConfigPath): number;
  /** The file and line of a path: `config.yaml:12`. */
  placeOf(path: ConfigPath): string;
  /** All warnings, in the order of their lines. */
  warnings(): string[];
  /** Throws one `AppError` with a line per error, in the order of their lines; does nothing where there is none. */
  throwErrors(): void;
};

type Entry = { line: number; text: string };

/** Makes an empty report; each entry becomes `config.yaml:12 litellm_settings.callbacks: text`. */
export function makeConfigReport(document: ConfigDocument): ConfigReport {
  const errors: Entry[] = [];
  const warnings: Entry[] = [];

  function entry(path: ConfigPath, text: string): Entry {
    return { line: document.lineOf(path), text: `${document.locate(path)} ${dottedPath(path)}: ${text}` };
  }

  return {
    error: (path, text) => void errors.push(entry(path, text)),
    warning: (path, text) => void warnings.push(entry(path, text)),
    lineOf: (path) => document.lineOf(path),
    placeOf: (path) => document.locate(path),
    warnings: () => inOrder(warnings),
    throwErrors() {
      if (errors.length > 0) throw new AppError("bad_request", inOrder(errors).join("\n"));
    },
  };
}

/** A path as it is read aloud: `model_list[0].litellm_params.model`. */
export function dottedPath(path: ConfigPath): string {
  const text = path.map((step) => (typeof step === "number" ? `[${String(step)}]` : `.${step}`)).join("");
  return text.replace(/^\./, "") || "the whole file";
}

function inOrder(entries: readonly Entry[]): string[] {
  return entries.toSorted((one, other) => one.line - other.line).map(({ text }) => text);
}
