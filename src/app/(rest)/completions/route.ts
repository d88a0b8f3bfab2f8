export { POST } from "#app/(rest)/v1/completions/route.ts";
