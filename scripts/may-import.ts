/** What the files of one part of the product may import beside the part's own files. */
type ImportPolicy = {
  /** Parts (`lib/`) or single files (`trpc/client.tsx`) below `src`, for values and types alike. */
  any: readonly string[];
  /** The same, for `import type` only. */
  types?: readonly string[];
  /** Packages (`next`) or files of ours that stay out all the same. */
  never?: readonly string[];
  /** False where the part's files do not import each other either. */
  own?: false;
};

const rooms = ["gateway/", "keys/", "logging/", "teams/", "users/"];
const nextAndPrisma = ["next", "next-auth", "react", "@prisma/client", "lib/prisma/"];

/**
 * Who may import whom: the table of `src/README.md`. A part is a folder (with a slash) or a file below `src`; the longest
 * one that a file's path starts with is the file's part.
 */
export const MAY_IMPORT: Readonly<Record<string, ImportPolicy>> = {
  "lib/": { any: [], never: ["next", "react"] },
  "logging/": { any: ["lib/"], never: ["next", "react"] },
  "logging/destinations/": {
    any: [
      ...["logging/record.ts", "lib/address-user-headers.ts", "lib/errors.ts", "lib/fetch-upstream.ts"],
      ...[
        "lib/google-account.ts",
        "lib/google-token.ts",
        "lib/id.ts",
        "lib/read-json.ts",
        "lib/retry-after.ts",
        "lib/state.ts",
      ],
    ],
    never: ["next", "react"],
  },
  "keys/": { any: ["logging/", "lib/"], never: ["next", "react"] },
  "teams/": { any: ["keys/", "logging/", "lib/"], never: ["next", "react"] },
  "users/": { any: ["teams/", "keys/", "logging/", "lib/"], never: ["next", "react"] },
  "gateway/": { any: ["keys/", "logging/", "lib/"], never: ["next", "react"] },
  "gateway/providers/": {
    any: [
      "gateway/",
      "logging/record.ts",
      "lib/errors.ts",
      "lib/fetch-upstream.ts",
      "lib/google-account.ts",
      "lib/google-token.ts",
      "lib/id.ts",
    ],
    never: ["next", "react"],
  },
  "http/": { any: ["gateway/request-controls.ts", "keys/", "logging/", "lib/"], never: ["next", "react"] },
  "app/(rest)/": { any: ["http/", ...rooms, "lib/"], never: nextAndPrisma },
  "app/(portal)/": {
    any: ["trpc/client.tsx", "trpc/page-reads.tsx", "auth/", "ui/"],
    types: [...rooms, "trpc/", "lib/"],
    never: ["@prisma/client", "lib/prisma/"],
  },
  "app/api/": { any: ["trpc/", "auth/", "lib/"] },
  "app/": { any: ["trpc/client.tsx", "auth/", "ui/"], never: ["@prisma/client", "lib/prisma/"] },
  "trpc/": {
    any: ["users/", "teams/", "keys/", "logging/", "gateway/preview-team-log.ts", "http/", "auth/", "lib/"],
  },
  "auth/": { any: ["lib/"] },
  "proxy.ts": { any: [] },
  "client/": { any: [], types: ["trpc/"], never: ["next", "@prisma/client", "lib/prisma/"] },
  "ui/": { any: [], never: ["next", "@prisma/client"] },
  "testing/": { any: ["app/", "auth/", "client/", "http/", "lib/", ...rooms, "trpc/", "ui/"] },
  "server.ts": { any: ["stop-gateway.ts", "app/", "auth/", "http/", "lib/", ...rooms, "trpc/"] },
  "stop-gateway.ts": { any: ["http/", "logging/", "lib/"] },
  "reseal.ts": { any: ["lib/", "logging/"] },
  "worker.ts": { any: ["lib/", ...rooms] },
};

/** The files that may import a value of `lib/db.ts` or `lib/database-state.ts`; every other one receives the database as an argument. */
export const MAY_IMPORT_DB_VALUE: readonly string[] = [
  "auth/",
  "http/route.ts",
  "lib/",
  "reseal.ts",
  "server.ts",
  "testing/",
  "trpc/context.ts",
  "worker.ts",
];

/** One import statement, as far as the table asks. */
export type ImportQuestion = {
  /** The importing file, relative to the repository, with slashes. */
  file: string;
  /** What it imports, as written. */
  source: string;
  /** Whether only types come of it. */
  typeOnly: boolean;
};

/** Why an import is not allowed, as a sentence; null where it is. */
export function findImportFault(question: ImportQuestion): string | null {
  const { file, source } = question;
  if (!file.startsWith("src/")) return null;
  if (source.startsWith(".")) return relativeFault(file, source);
  const part = partOf(file.slice("src/".length));
  const policy = part === null ? undefined : MAY_IMPORT[part];
  if (part === null || policy === undefined) return `${file} belongs to no part that MAY_IMPORT knows: add one.`;
  const target = source.startsWith("#") ? source.slice(1) : null;
  if (target !== null && isTest(file) && isWithin(target, "testing/")) return null;
  const denied = policy.never?.find((name) => isWithin(target ?? source, name));
  if (denied !== undefined) return `${part} never imports ${denied}.`;
  return target === null ? null : ownFault({ ...question, part, policy, target });
}

type OwnImport = ImportQuestion & { part: string; policy: ImportPolicy; target: string };

function ownFault({ file, part, policy, target, typeOnly }: OwnImport): string | null {
  const allowed = typeOnly ? [part, ...policy.any, ...(policy.types ?? [])] : [part, ...policy.any];
  if (!allowed.some((name) => isWithin(target, name))) {
    return `${part} may import ${allowed.join(", ")}${typeOnly ? "" : " (values)"}, and not ${target}.`;
  }
  const path = file.slice("src/".length);
  const needsDb = (target === "lib/db.ts" || target === "lib/database-state.ts") && !typeOnly && !isTest(file);
  if (needsDb && !MAY_IMPORT_DB_VALUE.some((name) => isWithin(path, name))) {
    return "The database comes in as an argument: import only types of lib/db.ts.";
  }
  return null;
}

function relativeFault(file: string, source: string): string | null {
  if (source.endsWith(".css") && source.startsWith("./")) return null;
  if (source.endsWith("/package.json")) return null;
  const folder = new URL(`file:///${file}`);
  const path = new URL(source, folder).pathname.slice(1);
  if (isTest(file) && path.startsWith("e2e/fakes/")) return null;
  return `Write ${path.startsWith("src/") ? `"#${path.slice("src/".length)}"` : "an import of a package or of #…"} instead of a relative path.`;
}

function partOf(path: string): string | null {
  const parts = Object.keys(MAY_IMPORT).filter((part) => isWithin(path, part));
  return parts.sort((first, second) => second.length - first.length)[0] ?? null;
}

/** True for the name itself, and for what is below it. */
function isWithin(path: string, name: string): boolean {
  return path === name || path.startsWith(name.endsWith("/") ? name : `${name}/`);
}

function isTest(file: string): boolean {
  return /\.test\.tsx?$/.test(file);
}
