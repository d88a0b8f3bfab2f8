export { POST } from "#app/(rest)/v1/audio/transcriptions/route.ts";
