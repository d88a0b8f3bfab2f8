import { callRoute } from "#app/(rest)/call-route.ts";
import { moderation } from "#gateway/operations/moderation.ts";

/** Whether a text or picture is harmful, in OpenAI's shapes. */
export const POST = callRoute(moderation);
