import { initTRPC, TRPCError } from "@trpc/server";
import { z } from "zod";
import type { Actor } from "#keys/actor.ts";
import { isProxyAdmin, mayManageTeam, mayReadTeam, mayWrite, readsEverything, teamRoleOf } from "#keys/rights.ts";
import type { KnownRoute } from "#keys/route-classes.ts";
import { assertRoutesAllowed } from "#keys/route-limits.ts";
import { AppError, errorCodes } from "#lib/errors.ts";
import { findUnstorable, unstorableMessage } from "#lib/storable.ts";
import { toAppError } from "#lib/to-app-error.ts";
import type { Context } from "#trpc/context.ts";

/**
 * Whom a procedure lets in. `everybody`: also who is not signed in. `user`: whoever acts. `writer`: who may write at
 * all. `admin` and `admin_viewer`: of the whole gateway. `session`: a browser, for its own account. `team_*`: by what he
 * is in the team that the input names.
 */
export type Access =
  | "everybody"
  | "user"
  | "writer"
  | "admin"
  | "admin_viewer"
  | "session"
  | "team_reader"
  | "team_inspector"
  | "team_admin";

/** The REST route that does the same as a procedure, and its class. */
export type RestEqual = KnownRoute;

/**
 * What every procedure states about itself. `rest`: the routes that do the same. A key with route limits may call the
 * procedure only if it may call all of them; without one it is closed to such keys.
 */
export type Meta = { access: Access; rest: readonly RestEqual[] };

const t = initTRPC
  .context<Context>()
  .meta<Meta>()
  .create({
    errorFormatter({ shape, error, ctx }) {
      const cause = error.cause instanceof AppError ? error.cause : null;
      return {
        message: shape.message,
        code: shape.code,
        data: {
          code: shape.data.code,
          httpStatus: cause?.status ?? shape.data.httpStatus,
          path: shape.data.path ?? null,
          /** As `error.code` of REST; null where the input does not fit its schema. */
          appCode: cause?.code ?? null,
          /** The field at fault. */
          param: cause?.param ?? null,
          requestId: ctx?.requestId ?? null,
          issues: error.cause instanceof z.ZodError ? error.cause.issues.map(toIssue) : null,
        },
      };
    },
  });

export const router = t.router;
export const createCaller = t.createCallerFactory;

/** The only place that turns what the rooms throw into tRPC's error; a bug keeps its words to itself. */
const withErrors = t.middleware(async ({ ctx, path, next }) => {
  const result = await next();
  if (result.ok || (result.error.cause === undefined && !(result.error instanceof AppError))) return result;
  const { cause } = result.error;
  if (cause instanceof z.ZodError) return result;
  throw toTrpcError(isSignedIn(ctx.actor) ? toRefusal(cause) : cause, {
    requestId: ctx.requestId,
    route: `trpc ${path}`,
  });
});

/** LiteLLM's wire has 401 also for a missing right. Here it means "not signed in" and nothing else. */
function toRefusal(cause: unknown): unknown {
  if (!(cause instanceof AppError) || cause.code !== "unauthorized") return cause;
  return new AppError("forbidden", cause.message, {
    type: cause.type,
    ...(cause.param === null ? {} : { param: cause.param }),
  });
}

function isSignedIn(actor: Actor | null): actor is Actor {
  return actor !== null && (actor.userId !== null || actor.keyHash !== null);
}

/** An error of the rooms as tRPC answers it. */
export function toTrpcError(cause: unknown, context: { requestId: string; route: string }): TRPCError {
  if (cause instanceof TRPCError) return cause;
  const known = toAppError(cause, context.requestId);
  return new TRPCError({ code: errorCodes[known.code].trpc, message: known.message, cause: known });
}

/** No procedure takes what the database cannot keep, whatever its schema says. */
const withStorableInput = t.middleware(async ({ getRawInput, next }) => {
  const path = findUnstorable(await getRawInput());
  if (path !== null) throw new AppError("bad_request", unstorableMessage, { param: path.join(".") });
  return next();
});

/** A procedure that keys with route limits may call as far as its REST equals are open to them. */
function procedure(access: Access, rest: readonly RestEqual[]) {
  return t.procedure
    .use(withErrors)
    .use(withStorableInput)
    .meta({ access, rest })
    .use(async ({ ctx, path, getRawInput, next }) => {
      if (ctx.allowedRoutes.length > 0) {
        const params = readParams(await getRawInput());
        const matched = rest.map((route) => ({ ...route, params }));
        assertRoutesAllowed(ctx.allowedRoutes, matched, `trpc ${path}`);
      }
      return next();
    });
}

/** The parameters of REST equals that a procedure's input names. */
const NamedParams = z.object({ teamId: z.string().optional(), id: z.string().optional() }).catch({});

function readParams(input: unknown): Record<string, string> {
  const { teamId, id } = NamedParams.parse(input);
  return { ...(teamId === undefined ? {} : { team_id: teamId }), ...(id === undefined ? {} : { id }) };
}

function signedIn(actor: Actor | null): Actor {
  if (isSignedIn(actor)) return actor;
  throw new AppError("unauthorized", "Sign in, or send a key as a bearer.");
}

/** Lets everybody in. */
export const openProcedure = (rest: readonly RestEqual[]) => procedure("everybody", rest);

/** Lets in whoever acts, and leaves what he sees to the use case. */
export const userProcedure = (rest: readonly RestEqual[]) =>
  procedure("user", rest).use(({ ctx, next }) => next({ ctx: { actor: signedIn(ctx.actor) } }));

/** Lets in who may write something, and leaves what to the use case. */
export const writerProcedure = (rest: readonly RestEqual[]) =>
  procedure("writer", rest).use(({ ctx, next }) => {
    const actor = signedIn(ctx.actor);
    if (!mayWrite(actor)) throw new AppError("forbidden", "Your role may read and not write.");
    return next({ ctx: { actor } });
  });

/** Lets in proxy administrators. */
export const adminProcedure = (rest: readonly RestEqual[]) =>
  procedure("admin", rest).use(({ ctx, next }) => {
    const actor = signedIn(ctx.actor);
    if (!isProxyAdmin(actor)) throw new AppError("forbidden", "Only proxy administrators may do this.");
    return next({ ctx: { actor } });
  });

/** Lets in proxy administrators and their viewers. */
export const adminViewerProcedure = (rest: readonly RestEqual[]) =>
  procedure("admin_viewer", rest).use(({ ctx, next }) => {
    const actor = signedIn(ctx.actor);
    if (!readsEverything(actor)) throw new AppError("forbidden", "Only proxy administrators may see this.");
    return next({ ctx: { actor } });
  });

/** Lets in a signed-in browser, for what is its user's alone. */
export const sessionProcedure = (rest: readonly RestEqual[]) =>
  procedure("session", rest).use(({ ctx, next }) => {
    const actor = signedIn(ctx.actor);
    const { session } = ctx;
    if (session === null) throw new AppError("forbidden", "This is for the portal; a key cannot use it.");
    return next({ ctx: { actor, session } });
  });

const TeamInput = z.object({ teamId: z.string().min(1).max(256) });

/**
 * Lets in who may read the team that the input names (`team_reader`: its members and keys), look into its settings
 * (`team_inspector`: its administrators, and who reads everything), or change it (`team_admin`). A team that there is not
 * and one that is none of his are refused alike.
 */
export function teamProcedure(access: "team_reader" | "team_inspector" | "team_admin", rest: readonly RestEqual[]) {
  return procedure(access, rest)
    .input(TeamInput)
    .use(async ({ ctx, input, next }) => {
      const actor = signedIn(ctx.actor);
      const { teamId } = input;
      if (!(await mayReadTeam(ctx.db, actor, teamId))) throw foreignTeam();
      const team = await ctx.db.team.findUnique({ where: { id: teamId }, select: { id: true } });
      if (team === null) throw foreignTeam();
      if (access === "team_inspector" && !readsEverything(actor) && !(await administers(ctx.db, actor, teamId))) {
        throw new AppError("forbidden", "Only the team's administrators may see this.");
      }
      if (access === "team_admin" && !(await mayManageTeam(ctx.db, actor, teamId))) {
        throw new AppError("forbidden", "Only the team's administrators may do this.");
      }
      return next({ ctx: { actor } });
    });
}

async function administers(db: Context["db"], actor: Actor, teamId: string): Promise<boolean> {
  return (await teamRoleOf(db, actor, teamId)) === "admin";
}

function foreignTeam(): AppError {
  return new AppError("not_found", "There is no such team, or you are not in it.", { param: "teamId" });
}

function toIssue(issue: z.core.$ZodIssue): { path: string; message: string } {
  return { path: issue.path.join("."), message: issue.message };
}
