export { GET } from "#app/(rest)/v1/models/[model]/route.ts";
