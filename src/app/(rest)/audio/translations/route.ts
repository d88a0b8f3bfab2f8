export { POST } from "#app/(rest)/v1/audio/translations/route.ts";
