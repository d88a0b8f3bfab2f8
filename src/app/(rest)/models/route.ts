export { GET } from "#app/(rest)/v1/models/route.ts";
