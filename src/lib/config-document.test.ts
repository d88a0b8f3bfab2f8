import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { readConfigDocument } from "#lib/config-document.ts";

function faultOf(text: string): string {
  try {
    readConfigDocument(text, "config.yaml");
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "no fault";
}

test.each([
  ["a tab as indentation", "a:\n\tb: 2\n", "config.yaml:2:1", "indent with spaces"],
  ["a key that is indented differently", "a:\n  b: 1\n c: 2\n", "config.yaml:3:", "the same number of spaces"],
  ["an unquoted colon", "a: b: c\n", "config.yaml:1:4", "in quotes"],
  ["a quote that never ends", "a: 1\nb: 'abc\nc: 2\n", "config.yaml:2:4", "add the missing quote"],
  ["a bracket that never ends", "a: [1, 2\nb: 3\n", "config.yaml:2:", "same number of spaces"],
  ["a key without its colon", "a: 1\nb\nc: 2\n", "config.yaml:2:1", "colon"],
  ["a key that is there twice", "a: 1\nb: 2\na: 3\n", "config.yaml:3:1", "merge the blocks"],
  ["a second document", "a: 1\n---\nb: 2\n", "config.yaml:2:1", "remove the line ---"],
  ["a value that begins with an at sign", "a: @b\n", "config.yaml:1:4", "put the value in quotes"],
  ["an alias that contains itself", "a: &x\n  - *x\n", "config.yaml:2:5", "write the values out"],
])("%s is reported with its place and the fix", (...[, text, place, fix]) => {
  expect(faultOf(text)).toContain(place);
  expect(faultOf(text)).toContain(fix);
});

test("all faults of the syntax are reported at once", () => {
  expect(faultOf("a: 'b' c\nd: 1\nd: 2\n").split("\n")).toHaveLength(2);
});

test("the text of the file is not repeated in a fault of the syntax", () => {
  for (const text of ["api_key: *sk-hidden\n", "api_key: | sk-hidden\n  a\n", "api_key: 'a' sk-hidden\n"]) {
    expect(faultOf(text)).toContain("config.yaml:1:");
    expect(faultOf(text)).not.toContain("hidden");
  }
});

test.each([
  ["a list", "- model_name: a\n", "a list"],
  ["a sentence", "model_name sk-hidden\n", "a single value"],
])("a file that is %s instead of a mapping is refused", (_name, text, found) => {
  expect(faultOf(text)).toMatch(
    new RegExp(`^config\\.yaml:1 the whole file: expected a mapping .*found ${found}.*Fix:`),
  );
  expect(faultOf(text)).not.toContain("hidden");
});

test("a mapping as a key is taken as text, without a warning of the runtime", async () => {
  const warned: unknown[] = [];
  const listen = (warning: unknown): number => warned.push(warning);
  process.on("warning", listen);
  expect(readConfigDocument("? { a: b }\n: 2\n", "config.yaml").data).toEqual({ "{ a: b }": 2 });
  await setImmediate();
  process.off("warning", listen);
  expect(warned).toEqual([]);
});

test("a bomb of aliases is refused", () => {
  const levels = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (const [from, to] of ["ab", "bc", "cd", "de", "ef"].map((pair) => pair.split(""))) {
    levels.push(
      `${to ?? ""}: &${to ?? ""} [${Array(9)
        .fill(`*${from ?? ""}`)
        .join(", ")}]`,
    );
  }
  expect(faultOf(levels.join("\n"))).toContain("aliases that cannot be expanded");
});

test.each(["", "\n\n", "# only a comment\n", "---\n"])("a file without content is empty, not wrong", (text) => {
  expect(readConfigDocument(text, "config.yaml")).toMatchObject({ data: {}, empty: true });
});

test("a byte order mark, Windows line ends and merge keys are understood", () => {
  const text = "\uFEFFx-base: &base\r\n  rpm: 5\r\nmodel:\r\n  <<: *base\r\n  tpm: 7\r\n";
  expect(readConfigDocument(text, "config.yaml").data["model"]).toEqual({ rpm: 5, tpm: 7 });
});

test("a path is located by its own line, through lists and aliases, or else by its nearest parent's", () => {
  const text = "one: &one\n  two:\n    - name: a\n    - name: b\n      deep: 1\nother: *one\n";
  const { locate } = readConfigDocument(text, "my.yaml");
  expect(locate([])).toBe("my.yaml:1");
  expect(locate(["one", "two"])).toBe("my.yaml:2");
  expect(locate(["one", "two", 1])).toBe("my.yaml:4");
  expect(locate(["one", "two", 1, "deep"])).toBe("my.yaml:5");
  expect(locate(["one", "two", 1, "missing", "deeper"])).toBe("my.yaml:4");
  expect(locate(["one", "two", 9])).toBe("my.yaml:2");
  expect(locate(["other", "two", 1, "deep"])).toBe("my.yaml:5");
  expect(locate(["missing"])).toBe("my.yaml:1");
});
