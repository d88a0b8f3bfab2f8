/** Langfuse's API key check, as the server does it: the project is found by the secret, not by the public key. */

/** A project and its key pair. */
export type FakeProject = { id: string; name: string; publicKey: string; secretKey: string };

/** A key pair of an organization: it authenticates, but there is no project behind it. */
export type FakeOrganizationKey = { publicKey: string; secretKey: string };

/** Who is calling. */
export type LangfuseScope =
  | {
      access: "project";
      project: FakeProject;
      /** True where the public key was another one than the project's; the server accepts that. */
      publicKeyMismatch: boolean;
    }
  | { access: "scores"; project: FakeProject; publicKeyMismatch: false }
  | { access: "organization" };

/** An answer that is not a success. */
export class LangfuseRefusal extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(JSON.stringify(body));
    this.status = status;
    this.body = body;
  }
}

/** The keys that the server knows. */
export type KnownKeys = { projects: readonly FakeProject[]; organizationKeys: readonly FakeOrganizationKey[] };

const wrongCredentials = "Invalid credentials. Confirm that you've configured the correct host.";

/** Reads an `Authorization` header: the scope, or the text with which the server refuses it. */
export function findScope(header: string | undefined, known: KnownKeys): LangfuseScope | string {
  if (header === undefined) return "No authorization header";
  if (header.startsWith("Bearer ")) {
    const project = known.projects.find((candidate) => candidate.publicKey === header.slice("Bearer ".length));
    return project ? { access: "scores", project, publicKeyMismatch: false } : wrongCredentials;
  }
  if (!header.startsWith("Basic ")) return "Invalid authorization header";
  const pair = Buffer.from(header.slice("Basic ".length), "base64").toString("latin1").split(":");
  // The password is what stands between the first and the second colon.
  const [publicKey = "", secretKey = ""] = pair;
  if (publicKey === "" || secretKey === "") {
    return "Invalid authorization header. Confirm that you've configured the correct host.";
  }
  const project = known.projects.find((candidate) => candidate.secretKey === secretKey);
  if (project) return { access: "project", project, publicKeyMismatch: project.publicKey !== publicKey };
  const isOrganization = known.organizationKeys.some((candidate) => candidate.secretKey === secretKey);
  return isOrganization ? { access: "organization" } : wrongCredentials;
}

/** The project that may write over OTLP; throws 401 or 403. */
export function projectForOtlp(scope: LangfuseScope | string): FakeProject {
  if (typeof scope === "string") throw new LangfuseRefusal(401, { message: scope });
  if (scope.access === "project") return scope.project;
  throw new LangfuseRefusal(403, { message: "Access denied - insufficient permissions for this endpoint" });
}

/** The project that may be listed; throws 401 or 403. */
export function projectForListing(scope: LangfuseScope | string): FakeProject {
  if (typeof scope === "string") throw new LangfuseRefusal(401, { message: scope });
  if (scope.access === "project") return scope.project;
  throw new LangfuseRefusal(403, { message: "Invalid API key. Are you using an organization key?" });
}

/** The project that may write by the old batch; a public key alone may write scores only, which is told per event. */
export function projectForIngestion(scope: LangfuseScope | string): { project: FakeProject; scoresOnly: boolean } {
  const unauthorized = (message: string) => new LangfuseRefusal(401, { error: "UnauthorizedError", message });
  if (typeof scope === "string") throw unauthorized(scope);
  if (scope.access === "organization") {
    throw unauthorized("Missing projectId in scope. Are you using an organization key?");
  }
  return { project: scope.project, scoresOnly: scope.access === "scores" };
}
