/** @type {import("next").NextConfig} */
export default {
  distDir: ".next",
  poweredByHeader: false,
  // `npm run types` checks the types, the route files' too; a second pass here would only cost time. Next rewrites the
  // file that it is given, so it gets one of its own.
  typescript: { ignoreBuildErrors: true, tsconfigPath: "tsconfig.next.json" },
  serverExternalPackages: [
    "@electric-sql/pglite",
    "@electric-sql/pglite-socket",
    "@prisma/adapter-pg",
    "@prisma/client",
    "pg",
    "pino",
    "undici",
  ],
};
