import { createTRPCClient, httpBatchLink, TRPCClientError } from "@trpc/client";
import type { AppRouter } from "#client/app-router.ts";
import type { Procedures, SluiceErrorShape } from "#client/contract.ts";
import type { Mutation, Query } from "#client/procedure.ts";

/** Where the gateway is, and as whom to call it. */
export type SluiceClientOptions = {
  /** The gateway's address, for example `https://sluice.example.com`. */
  url: string;
  /** A virtual key or the master key. What it may do is decided by its team, its owner and their roles. */
  apiKey: string;
};

/** What goes with one call. */
export type CallOptions = {
  /** Ends the call before its answer is there. */
  signal?: AbortSignal;
};

/** What may be left out where nothing in it is required. */
type Arguments<Input> = undefined extends Input
  ? [input?: Input, options?: CallOptions]
  : [input: Input, options?: CallOptions];

/** A router's procedures as functions: what reads has `query`, what changes something has `mutate`. */
type Calls<Tree> = {
  [Name in keyof Tree]: Tree[Name] extends Query<infer Input, infer Output>
    ? { query(...call: Arguments<Input>): Promise<Output> }
    : Tree[Name] extends Mutation<infer Input, infer Output>
      ? { mutate(...call: Arguments<Input>): Promise<Output> }
      : Calls<Tree[Name]>;
};

/** Everything that the gateway can be asked, for example `client.teams.list.query()`. */
export type SluiceClient = Calls<Procedures>;

/** What a call throws. `data` is what the gateway says of it; absent where the gateway could not be reached. */
export type SluiceError = Error & { data?: SluiceErrorShape["data"] };

/** Makes a client. Calls of one moment travel together in one request; nothing is sent before the first call. */
export function createSluiceClient({ url, apiKey }: SluiceClientOptions): SluiceClient {
  return createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `${url.replace(/\/+$/, "")}/api/trpc`,
        headers: { authorization: `Bearer ${apiKey}` },
        // The gateway takes 50 calls in a batch; longer addresses are cut off by proxies.
        maxItems: 40,
        maxURLLength: 4_000,
      }),
    ],
  });
}

/** Whether what was thrown comes from a call of a client, so that `data` can be read. */
export function isSluiceError(thrown: unknown): thrown is SluiceError {
  return thrown instanceof TRPCClientError;
}
