"use client";

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, TRPCClientError } from "@trpc/client";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import { type ReactNode, useState } from "react";
import * as z from "zod/mini";
import type { AppRouter } from "#trpc/root.ts";

const { TRPCProvider, useTRPC } = createTRPCContext<AppRouter>();

export { useTRPC };

/** What procedures take and answer, by router and procedure. */
export type Inputs = inferRouterInputs<AppRouter>;
export type Outputs = inferRouterOutputs<AppRouter>;

/** A fault as a page shows it. */
export type Fault = { message: string; param: string | null; requestId: string | null; isUnauthorized: boolean };

/** What the gateway says of an error beside its message. */
const FaultData = z.object({
  code: z.string(),
  param: z.nullable(z.string()),
  requestId: z.nullable(z.string()),
  issues: z.nullable(z.array(z.object({ path: z.string(), message: z.string() }))),
});

/** What went wrong, in words for people. */
export function toFault(error: unknown): Fault {
  const data = FaultData.safeParse(error instanceof TRPCClientError ? error.data : null).data;
  if (!(error instanceof Error) || data === undefined) {
    return { message: "The gateway cannot be reached now.", param: null, requestId: null, isUnauthorized: false };
  }
  const issue = data.issues?.[0];
  return {
    message: issue ? `${issue.path}: ${issue.message}` : error.message,
    param: data.param ?? issue?.path ?? null,
    requestId: data.requestId,
    isUnauthorized: data.code === "UNAUTHORIZED",
  };
}

type ProviderProps = {
  children: ReactNode;
  /** Called where the session has ended. */
  onSignedOut: () => void;
};

/** Gives the pages the typed client and its cache. Calls of one moment travel together. */
export function TrpcProvider({ children, onSignedOut }: ProviderProps) {
  const [queryClient] = useState(() => makeQueryClient(onSignedOut));
  const [trpcClient] = useState(() =>
    createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: "/api/trpc", maxURLLength: 4_000, maxItems: 40 })] }),
  );
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={trpcClient} queryClient={queryClient}>
        {children}
      </TRPCProvider>
    </QueryClientProvider>
  );
}

function makeQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: Error): void => {
    if (toFault(error).isUnauthorized) onSignedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) => count < 2 && toFault(error).requestId === null,
      },
    },
  });
}
