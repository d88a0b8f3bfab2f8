import type { Deployment } from "#gateway/models.ts";
import type { Operation } from "#gateway/operation.ts";
import type { JsonObject } from "#logging/record.ts";

/** One request to an upstream, already free of everything that is the gateway's alone. */
export type ProviderCall = {
  deployment: Deployment;
  operation: Operation;
  body: JsonObject;
  /** The form to send instead of the body, where the operation takes files. */
  form: FormData | null;
  /** The client's headers. A provider passes on those alone that its API knows and that steer the answer. */
  headers: Headers;
  /** Ends the call, before and after the answer's headers, when the client leaves. */
  signal?: AbortSignal | undefined;
  /** How long the first byte may take, and the pauses between any two. */
  timeoutMs: number;
  /** How long the whole answer may take; undefined: for as long as it comes. */
  totalTimeoutMs: number | undefined;
  /** Told when the vendor says yes, in case its answer turns out to be no whole one: it has begun to work. */
  onBegun?: (() => unknown) | undefined;
};

/** What an upstream answered, whatever its status. The body is read once. */
export type ProviderAnswer = {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: AsyncIterable<Buffer> & { destroy(): void };
  /** Fields of the request that were left out because config.yaml says `drop_params`. */
  dropped?: readonly string[];
};

/** A vendor's API. */
export type Provider = {
  name: string;
  /** Where the vendor answers, if config.yaml does not say. */
  apiBase: string | null;
  /** The word that LiteLLM puts into this vendor's error messages, for example `OpenAIException`. */
  exceptionName: string;
  /** True where chats are translated: signed thoughts and marks of the cache have words there. */
  translates?: true;
  /** For a cloud whose models speak several wires: the provider of one of them. */
  ofModel?(model: string): Provider;
  /** For clouds: where the vendor answers by what config.yaml says of the account, or what is missing there. */
  locate?(
    entry: Pick<Deployment, "apiKey" | "vendorParams"> & { model: string },
  ): { apiBase: string } | { problem: string };
  /**
   * How a stream comes to its usage: `asked` (absent) with `stream_options`; `unasked`: it always has it, and a request
   * that asks is refused; `never`.
   */
  streamUsage?(deployment: Pick<Deployment, "apiVersion">): "asked" | "unasked" | "never";
  /** False for an operation that this API does not have. */
  takes(operation: Pick<Operation, "name">): boolean;
  /** Sends one request. Throws `UpstreamError` of status 0 where there is no answer. */
  send(call: ProviderCall): Promise<ProviderAnswer>;
};
