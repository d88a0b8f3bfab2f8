/**
 * What answers to one question have in common: times, random padding and the ids that the fake and the clients make up
 * differ between any two. Where the usage of a stream was requested for the log, its chunks say `usage: null` and the
 * fake counts the request as another one.
 */
export function comparable(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer, (name, value: unknown) => {
      if (passing.has(name) || (name === "usage" && value === null)) return undefined;
      return typeof value === "string" && madeUp.test(value) ? undefined : value;
    }),
  );
}

const passing = new Set(["created", "obfuscation", "timestamp", "performance", "headers"]);
const madeUp = /^(chatcmpl-|cmpl-|call_|run-|lc_run-|aitxt-)/;

/** An error as its catcher sees it, without the words that LiteLLM's wire puts in front of the upstream's own. */
export function toFailure(error: unknown): object {
  if (!(error instanceof Error)) return { thrown: error };
  const { name, message } = error;
  const fields = Object.entries(error).filter(([field]) => shown.has(field));
  return {
    kind: name,
    thrownBy: error.constructor.name,
    message: withoutPrefix(message),
    ...Object.fromEntries(fields),
  };
}

const shown = new Set(["status", "statusCode", "isRetryable", "type", "param", "lc_error_code", "lc_retryable"]);

/** The upstream's words in the message of an error. */
export function withoutPrefix(message: string): string {
  return message.replace(/litellm\.\w+: \w+: \w+ - /g, "");
}
