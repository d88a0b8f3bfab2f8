import { expect, test } from "vitest";
import { explainUnreached } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";

const url = "postgres://user:hidden-word@127.0.0.1:5499/sluice";

test("a PostgreSQL that cannot be used is named with its setting, and without its password", () => {
  for (const code of ["ECONNREFUSED", "28P01", "3D000"]) {
    const error = explainUnreached(url, Object.assign(new Error("connect refused"), { code }));
    expect(error).toBeInstanceOf(AppError);
    expect(String(error)).toContain("DATABASE_URL: PostgreSQL at 127.0.0.1:5499 cannot be used (connect refused)");
    expect(String(error)).not.toContain("hidden-word");
  }
  const bug = new Error("a bug");
  expect(explainUnreached(url, bug)).toBe(bug);
});
