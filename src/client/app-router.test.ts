import { QueryClient } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { expect, test } from "vitest";
import type { AppRouter } from "#client/app-router.ts";

test("tRPC's own client and its bindings to React Query take the router's type", () => {
  const client = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: "http://127.0.0.1:4000/api/trpc" })] });
  const sluice = createTRPCOptionsProxy<AppRouter>({ client, queryClient: new QueryClient() });
  expect(sluice.teams.list.queryOptions({ search: "a" }).queryKey).toEqual([
    ["teams", "list"],
    { input: { search: "a" }, type: "query" },
  ]);
  const { mutationKey } = sluice.teams.update.mutationOptions();
  expect(mutationKey).toEqual([["teams", "update"]]);
});
