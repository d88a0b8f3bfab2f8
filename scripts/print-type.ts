import ts from "typescript";

/** A value that JSON carries has no deeper nesting than this; a type that does refers to itself. */
const depthMax = 12;

/**
 * Writes a type out in full, so that its text needs no other declaration but `Json`, any value that JSON carries. Throws
 * for what JSON does not carry.
 */
export function printType(checker: ts.TypeChecker, type: ts.Type, depth = 0): string {
  if (isJson(checker, type)) return "Json";
  if (depth > depthMax) throw new Error(`${checker.typeToString(type)} is nested too deeply, or refers to itself.`);
  if (type.isUnion()) return printUnion(checker, type, depth);
  if (type.flags & simpleFlags) return checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
  const next = (part: ts.Type): string => printType(checker, part, depth + 1);
  if (checker.isTupleType(type)) return `[${argumentsOf(checker, type).map(next).join(", ")}]`;
  if (checker.isArrayType(type)) {
    const element = next(argumentsOf(checker, type)[0] ?? type);
    return element.includes(" | ") ? `(${element})[]` : `${element}[]`;
  }
  if (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return printObject(checker, type, next);
  throw new Error(`JSON does not carry ${checker.typeToString(type)}.`);
}

const simpleFlags =
  ts.TypeFlags.StringLike |
  ts.TypeFlags.NumberLike |
  ts.TypeFlags.BooleanLike |
  ts.TypeFlags.Null |
  ts.TypeFlags.Undefined |
  ts.TypeFlags.Void |
  ts.TypeFlags.Unknown |
  ts.TypeFlags.Never;

function printUnion(checker: ts.TypeChecker, type: ts.UnionType, depth: number): string {
  const texts = type.types.map((part) => printType(checker, part, depth + 1));
  const isBoolean = texts.includes("true") && texts.includes("false");
  const merged = isBoolean ? [...texts.filter((text) => text !== "true" && text !== "false"), "boolean"] : texts;
  // What may be absent or null says so last, whatever the order in which the compiler met it.
  const rank = (text: string): number => (text === "undefined" ? 2 : text === "null" ? 1 : 0);
  return [...new Set(merged)]
    .sort((first, second) => rank(first) - rank(second) || (first < second ? -1 : 1))
    .join(" | ");
}

function printObject(checker: ts.TypeChecker, type: ts.Type, next: (part: ts.Type) => string): string {
  if (checker.getSignaturesOfType(type, ts.SignatureKind.Call).length > 0) {
    throw new Error(`JSON does not carry the function ${checker.typeToString(type)}.`);
  }
  // The order in which the compiler met them differs from run to run.
  const sorted = checker.getPropertiesOfType(type).toSorted(({ name: one }, { name: other }) => (one < other ? -1 : 1));
  const properties = sorted.map((property) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(property.name) ? property.name : JSON.stringify(property.name);
    const words = ts.displayPartsToString(property.getDocumentationComment(checker)).replaceAll("\n", " ");
    const comment = words === "" ? "" : `/** ${words} */\n`;
    const mark = property.flags & ts.SymbolFlags.Optional ? "?" : "";
    return `${comment}${name}${mark}: ${next(checker.getTypeOfSymbol(property))};`;
  });
  const indexes = checker.getIndexInfosOfType(type).map(({ type: value }) => `[name: string]: ${next(value)};`);
  return properties.length + indexes.length === 0
    ? "Record<string, never>"
    : `{\n${[...properties, ...indexes].join("\n")}\n}`;
}

/** Any value that JSON carries: a union of its scalars with arrays and objects of anything. */
function isJson(checker: ts.TypeChecker, type: ts.Type): boolean {
  if (!type.isUnion()) return false;
  const has = (flag: ts.TypeFlags): boolean => type.types.some((part) => (part.flags & flag) !== 0);
  const hasArray = type.types.some((part) => checker.isArrayType(part));
  const hasScalars = has(ts.TypeFlags.String) && has(ts.TypeFlags.Number) && has(ts.TypeFlags.Null);
  return hasScalars && hasArray && type.types.some((part) => checker.getIndexInfosOfType(part).length > 0);
}

function argumentsOf(checker: ts.TypeChecker, type: ts.Type): readonly ts.Type[] {
  return isReference(type) ? checker.getTypeArguments(type) : [];
}

function isReference(type: ts.Type): type is ts.TypeReference {
  return "target" in type;
}
