import { describe, expect, test } from "vitest";
import { AppError } from "#lib/errors.ts";
import { toAppError } from "#lib/to-app-error.ts";

const withCode = (message: string, code: string) => Object.assign(new Error(message), { code });

describe("a database that is away is a 503, not a fault of ours:", () => {
  test.each([
    withCode("Database error. Code: `57P03`. Message: `the database system is starting up`", "P2010"),
    withCode("Database error. Code: `57P01`. Message: `terminating connection due to administrator command`", "P2010"),
    withCode(
      "\nInvalid `prisma.key.findUnique()` invocation:\n\n\nDatabase error. Code: `08P01`. Message: `x`",
      "P2010",
    ),
    withCode("Database error. Code: `53300`. Message: `sorry, too many clients already`", "P2010"),
    withCode("the database system is shutting down", "57P03"),
    withCode("connect ECONNREFUSED 127.0.0.1:5432", "ECONNREFUSED"),
    new Error("Client has encountered a connection error and is not queryable"),
    new Error("server conn crashed?"),
    new Error("the batch failed", { cause: withCode("server closed the connection", "08006") }),
  ])("$message", (error) => {
    expect(toAppError(error, "id")).toMatchObject({ code: "unavailable", status: 503 });
  });
});

test("another fault of the database is ours, and its text is shown to nobody", () => {
  const error = withCode('Database error. Code: `42P01`. Message: `relation "Secret" does not exist`', "P2010");
  const known = toAppError(error, "id-1");
  expect(known).toBeInstanceOf(AppError);
  expect(known).toMatchObject({ status: 500, message: "Internal Server Error, request id id-1" });
});
