export { POST } from "#app/(rest)/v1/chat/completions/route.ts";
