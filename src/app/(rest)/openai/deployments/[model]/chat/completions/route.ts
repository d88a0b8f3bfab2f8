import { callRoute } from "#app/(rest)/call-route.ts";
import { chat } from "#gateway/operations/chat.ts";

/** The same as `/v1/chat/completions`, with the model in the path. */
export const POST = callRoute(chat, { params: "model" });
