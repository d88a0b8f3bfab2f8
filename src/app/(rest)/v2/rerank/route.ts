export { POST } from "#app/(rest)/v1/rerank/route.ts";
