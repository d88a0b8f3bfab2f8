"use client";

import { useQueryClient } from "@tanstack/react-query";
import { toFault } from "#trpc/client.tsx";
import { useToast } from "#ui/toaster.tsx";

/** What a mutation does beside its work: say that it was done, read everything anew, and say what went wrong. */
export function useAct() {
  const toast = useToast();
  const queryClient = useQueryClient();
  return (done: string) => ({
    onSuccess: async () => {
      toast({ tone: "good", title: done });
      await queryClient.invalidateQueries();
    },
    onError: (error: unknown) => {
      const { message, requestId } = toFault(error);
      toast({ tone: "bad", title: "That did not work", text: message, requestId });
    },
  });
}
