"use client";

import { useMutation } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { type Inputs, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Confirm } from "#ui/confirm.tsx";

type DeadLetterActionsProps = {
  selection: Inputs["deliveries"]["replay"];
  /** What is selected, for who hears the button instead of seeing where it stands. */
  what: string;
  isSmall?: boolean;
};

/** Sends waiting deliveries now. */
export function SendNow({ selection, what, isSmall = false }: DeadLetterActionsProps) {
  const trpc = useTRPC();
  const replay = useMutation(trpc.deliveries.replay.mutationOptions(useAct()("On its way again")));
  return (
    <Button
      size={isSmall ? "small" : "normal"}
      isPending={replay.isPending}
      aria-label={`Send now ${what}`}
      onClick={() => replay.mutate(selection)}
    >
      <RotateCcw aria-hidden />
      Send now
    </Button>
  );
}

/** Sends failed deliveries again, or, once asked, gives them up. */
export function DeadLetterActions({ selection, what, isSmall = false }: DeadLetterActionsProps) {
  const trpc = useTRPC();
  const replay = useMutation(trpc.deliveries.replay.mutationOptions(useAct()("On its way again")));
  const discard = useMutation(trpc.deliveries.discard.mutationOptions(useAct()("Given up")));
  const [isAsking, setAsking] = useState(false);
  const size = isSmall ? "small" : "normal";
  const label = (act: string): string => (isSmall ? act : `${act} all`);
  return (
    <>
      <Button
        size={size}
        isPending={replay.isPending}
        aria-label={`${label("Replay")}${isSmall ? ` ${what}` : ""}`}
        onClick={() => replay.mutate(selection)}
      >
        <RotateCcw aria-hidden />
        {label("Replay")}
      </Button>
      <Button
        size={size}
        aria-label={`${label("Discard")}${isSmall ? ` ${what}` : ""}`}
        onClick={() => setAsking(true)}
      >
        {label("Discard")}
      </Button>
      <Confirm
        isOpen={isAsking}
        onOpenChange={setAsking}
        title={`Discard ${isSmall ? "this log" : what}?`}
        description="The content is deleted and cannot be sent any more. The delivery stays in the list as suppressed."
        action="Discard"
        isPending={discard.isPending}
        onConfirm={() => discard.mutate(selection, { onSettled: () => setAsking(false) })}
      />
    </>
  );
}
