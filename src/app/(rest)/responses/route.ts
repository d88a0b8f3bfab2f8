export { POST } from "#app/(rest)/v1/responses/route.ts";
