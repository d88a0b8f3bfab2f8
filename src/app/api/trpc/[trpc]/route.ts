import { answerTrpc } from "#trpc/answer-trpc.ts";

/** Every procedure of the router: queries by GET or POST, mutations by POST alone. */
export const GET = answerTrpc;
export const POST = answerTrpc;
