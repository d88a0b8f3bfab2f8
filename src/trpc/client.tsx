"use client";

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, TRPCClientError } from "@trpc/client";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import { type ReactNode, useState } from "react";
import type { AppRouter } from "#trpc/root.ts";

const { TRPCProvider, useTRPC } = createTRPCContext<AppRouter>();

export { useTRPC };

/** What procedures take and answer, by router and procedure. */
export type Inputs = inferRouterInputs<AppRouter>;
export type Outputs = inferRouterOutputs<AppRouter>;

/** A fault as a page shows it. */
export type Fault = { message: string; param: string | null; requestId: string | null; isUnauthorized: boolean };

/** What went wrong, in words for people. */
export function toFault(error: unknown): Fault {
  const data = error instanceof TRPCClientError ? toEntries(error.data) : null;
  if (!(error instanceof Error) || data === null || typeof data.code !== "string") {
    return { message: "The gateway cannot be reached now.", param: null, requestId: null, isUnauthorized: false };
  }
  const issue = Array.isArray(data.issues) ? toEntries(data.issues[0]) : null;
  const path = toText(issue?.path);
  return {
    message: issue === null ? error.message : `${path ?? ""}: ${toText(issue.message) ?? ""}`,
    param: toText(data.param) ?? path,
    requestId: toText(data.requestId),
    isUnauthorized: data.code === "UNAUTHORIZED",
  };
}

/** Read by hand: a schema's library would be loaded with every page for this alone. */
function toEntries(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : null;
}

function toText(value: unknown): string | null {
  return typeof value === "string" ? value : null;
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
