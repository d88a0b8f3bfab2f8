import { z } from "zod";
import { complete } from "#gateway/complete.ts";
import type { Operation } from "#gateway/operation.ts";
import { refuseUnread } from "#gateway/refuse-call.ts";
import { toFormBody } from "#gateway/request-form.ts";
import { checkCall, readForm } from "#http/read-body.ts";
import { upstreamRefusals, type RouteDescription } from "#http/route-description.ts";
import { route, type CallEnvelope, type Route } from "#http/route.ts";
import { AppError } from "#lib/errors.ts";
import { untilCut } from "#logging/calls-in-flight.ts";
import type { JsonObject } from "#logging/record.ts";

/** `model`: the path names the model, slashes included. */
export type CallPath = { params?: "model" };

const Answer = z.looseObject({}).meta({ id: "UpstreamAnswer", description: "The upstream's answer, byte for byte." });

/** The route of an operation whose request is JSON. */
export function callRoute(operation: Operation, { params: named }: CallPath = {}): Route {
  const { body: schema, callType, errors, routeClass } = operation;
  const onBadBody = (error: AppError, call: CallEnvelope): Promise<AppError> => refuse(operation, error, call);
  return route(
    { auth: "llm", class: routeClass, describe: describe(operation, named), body: schema, callType, errors, onBadBody },
    ({ db, body, params, ...envelope }) => {
      const call = { db, operation, body, ...toInput(envelope) };
      return complete({ ...call, pathModel: params.model });
    },
  );
}

/** The route of an operation whose request is a form with files in it. */
export function formRoute(operation: Operation, { params: named }: CallPath = {}): Route {
  return route(
    { auth: "llm", class: operation.routeClass, describe: describe(operation, named), callType: operation.callType },
    async ({ db, params, ...envelope }) => {
      const { form, body } = await readCallForm(operation, envelope);
      const call = { db, operation, body, form, ...toInput(envelope) };
      return complete({ ...call, pathModel: params.model });
    },
  );
}

async function readCallForm(operation: Operation, call: CallEnvelope): Promise<{ form: FormData; body: JsonObject }> {
  try {
    const form = await untilCut(readForm(call.request));
    return { form, body: checkCall(operation.body, toFormBody(form)) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw await refuse(operation, error, call);
  }
}

/** A body that no call can be made of is a failed call to its owner, and logged as one. */
function refuse(operation: Operation, error: AppError, call: CallEnvelope): Promise<AppError> {
  const { path, ...input } = toInput(call);
  return refuseUnread({ operation, route: path, ...input }, error);
}

/** What a call has from its request, beside what was asked. */
function toInput({ caller, request, callId, callIdIsClients, path, inFlight }: CallEnvelope) {
  const { headers } = request;
  return { caller, headers, callId, callIdIsClients, path, inFlight: inFlight ?? undefined };
}

function describe(
  { describe: said }: Operation,
  params: CallPath["params"],
): RouteDescription<Record<string, z.core.util.JSONType>, typeof Answer> {
  return {
    ...said,
    details:
      "Everything that the gateway does not need itself is passed on to the model's provider. The record of the call is committed before the last byte of the answer; the header `x-sluice-log` is its receipt.",
    tag: "Calls",
    answer: Answer,
    refusals: upstreamRefusals,
    ...(params === undefined
      ? {}
      : { params: { model: { description: "The model's public name.", example: "gpt-4o" } } }),
  };
}
