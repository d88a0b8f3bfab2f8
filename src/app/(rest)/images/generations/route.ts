export { POST } from "#app/(rest)/v1/images/generations/route.ts";
