import { stateCell } from "#lib/state.ts";

/** What answers tRPC in this process, for pages that read before they are sent. Set by the server before it listens. */
export const trpcAnswerState = stateCell<(request: Request) => Promise<Response>>("trpc-answer");
