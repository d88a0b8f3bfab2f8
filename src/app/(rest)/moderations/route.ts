export { POST } from "#app/(rest)/v1/moderations/route.ts";
