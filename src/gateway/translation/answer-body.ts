import type { ProviderAnswer } from "#gateway/providers/provider.ts";

/** A body that is pulled from `pieces`; `onDestroy` ends whatever they come from. */
export function toAnswerBody(pieces: AsyncGenerator<Buffer, undefined>, onDestroy: () => void): ProviderAnswer["body"] {
  return { [Symbol.asyncIterator]: () => pieces, destroy: onDestroy };
}

/** A body that is one text. */
export function toWholeBody(text: string): ProviderAnswer["body"] {
  async function* read(): AsyncGenerator<Buffer, undefined> {
    yield Buffer.from(text, "utf8");
  }
  return toAnswerBody(read(), () => undefined);
}
