export { GET } from "#app/(rest)/health/liveliness/route.ts";
