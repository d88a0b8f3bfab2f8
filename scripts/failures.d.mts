/** Prints one failure in a few lines, and writes it to the file that `SLUICE_FAILURES_FILE` names, where it is set. */
export function tellFailure(title: string, messages: readonly string[]): void;

/** The failures that were written to a file since it was made, oldest first: one text, empty where there are none. */
export function readFailures(file: string): string;
