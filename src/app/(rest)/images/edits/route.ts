export { POST } from "#app/(rest)/v1/images/edits/route.ts";
