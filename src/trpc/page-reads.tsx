import {
  dehydrate,
  type QueryExecuteOptions,
  HydrationBoundary,
  QueryClient,
  type QueryKey,
} from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { createTRPCOptionsProxy, type TRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { trpcAnswerState } from "#trpc/answer-state.ts";
import type { AppRouter } from "#trpc/root.ts";

/** So long a page waits for what it shows first; the browser asks for what did not come by then. */
const waitMsMax = 1_500;

/** Reads queries for a page. */
export type PageReads = {
  trpc: TRPCOptionsProxy<AppRouter>;
  /** Reads one. Null where it is refused or fails: the browser asks again, and shows what is wrong. */
  read: <Data, Failure, Shown, Stored, Key extends QueryKey>(
    query: QueryExecuteOptions<Data, Failure, Shown, Stored, Key>,
  ) => Promise<Shown | null>;
};

type PrefetchedProps = {
  /** Starts the reads that the page shows first, and resolves with the last of them. */
  reads: (page: PageReads) => Promise<unknown>;
  children: ReactNode;
};

/**
 * Gives what is inside the answers that it would ask for first, so that the page is sent with its content. The procedures
 * are those of the wire, asked with the page's own cookies: whoever may not see something gets nothing here either. What
 * is read belongs to this one request and is kept nowhere.
 */
export async function Prefetched({ reads, children }: PrefetchedProps) {
  const cookie = (await cookies()).toString();
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const trpc = createTRPCOptionsProxy<AppRouter>({ client: makeClient(cookie), queryClient });
  const done = reads({ trpc, read: (query) => queryClient.query(query).catch(() => null) });
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), waitMsMax);
  await Promise.race([done, late.promise]);
  clearTimeout(timer);
  return <HydrationBoundary state={dehydrate(queryClient)}>{children}</HydrationBoundary>;
}

/** The wire's client without the wire: what answers browsers answers it, in this process. */
function makeClient(cookie: string) {
  const link = httpBatchLink({
    url: "http://localhost/api/trpc",
    maxURLLength: 4_000,
    maxItems: 40,
    fetch: (url) => trpcAnswerState.get()(new Request(url, { headers: { cookie } })),
  });
  return createTRPCClient<AppRouter>({ links: [link] });
}
