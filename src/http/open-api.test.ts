import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRoutes } from "#http/dispatch.ts";
import { AnthropicError, ErrorEnvelope, ValidationErrors } from "#http/error-response.ts";
import { shownPath, type MountedRoute } from "#http/mounted-routes.ts";
import { makeOpenApi, type OpenApiDocument } from "#http/open-api.ts";
import { startApp, type TestApp } from "#testing/app.ts";

const routes = await loadRoutes();
const cases = routes.flatMap((route) =>
  [...route.handlers].map(([method, handler]) => ({ name: `${method} ${shownPath(route)}`, route, method, handler })),
);

let app: TestApp;
let document: OpenApiDocument;
beforeAll(async () => {
  app = await startApp();
  document = makeOpenApi(routes);
});
afterAll(() => app.close());

test("the document names every route once", () => {
  const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map((found) => found.operationId));
  expect(ids).toHaveLength(cases.length);
  expect(new Set(ids).size).toBe(cases.length);
  expect(cases.length).toBeGreaterThan(30);
});

test("every reference of the document leads somewhere", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target);
  expect(references.length).toBeGreaterThan(10);
  for (const target of new Set(references)) {
    expect(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)).toContain(target);
  }
});

test("a route that is mounted twice is described once more, as the same", () => {
  expect(document.paths["/chat/completions"]?.post?.description).toContain("The same as `POST /v1/chat/completions`");
});

describe.each(cases)("$name", ({ route, method, handler }) => {
  const { auth, body, describe: said, errors } = handler.options;

  test("is described: what it does, its parameters, a body that works, and what it answers", () => {
    const operation = document.paths[shownPath(route)]?.[method.toLowerCase()];
    expect(operation?.summary).toMatch(/^[A-Z].*[^.]$/);
    const inPath = operation?.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
    expect(inPath?.toSorted()).toEqual(parametersOf(route).toSorted());
    expect(operation?.responses).toHaveProperty("200");
    if (body) {
      expect(said.example).toBeDefined();
      expect(body.safeParse(said.example)).toMatchObject({ success: true });
    }
    if (said.answerExample !== undefined) {
      expect(said.answer.safeParse(said.answerExample)).toMatchObject({ success: true });
    }
  });

  if (auth !== "none")
    test("is refused in the envelope without a key", async () => {
      const answer = await app.call(handler, { path: route.path, method, key: null });
      expect(answer.status).toBe(401);
      if (errors === "anthropic") {
        expect(AnthropicError.parse(answer.body).error).toMatchObject({ type: "authentication_error" });
      } else expect(ErrorEnvelope.parse(answer.body).error).toMatchObject({ code: "401", type: "auth_error" });
    });

  if (body !== undefined)
    test("refuses a body that is no JSON in the wire's words", async () => {
      const answer = await app.call(handler, { path: route.path, method, body: "{", params: someParams(route) });
      expect(answer.status).toBe(auth === "llm" ? 400 : 422);
      const shape = errors === "anthropic" ? AnthropicError : auth === "llm" ? ErrorEnvelope : ValidationErrors;
      expect(shape.safeParse(answer.body)).toMatchObject({ success: true });
    });
});

function parametersOf({ path }: MountedRoute): string[] {
  return [...path.matchAll(/:(\w+)/g)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

function someParams(route: MountedRoute): Record<string, string> {
  return Object.fromEntries(parametersOf(route).map((name) => [name, "x"]));
}
