export { POST } from "#app/(rest)/v1/audio/speech/route.ts";
