export { POST } from "#app/(rest)/v1/embeddings/route.ts";
