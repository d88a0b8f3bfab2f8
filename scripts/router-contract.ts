import { join } from "node:path";
import ts from "typescript";
import { printType } from "./print-type.ts";

const root = join(import.meta.dirname, "..");

/** Where the contract is kept, relative to the repository. */
export const contractPath = "src/client/contract.ts";

/** Stands for a file that asks the router for its types; it is never written. */
const questionPath = join(root, "src/client/router-question.ts");
const question = `
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import type { AppRouter } from "#trpc/root.ts";
export type Inputs = inferRouterInputs<AppRouter>;
export type Outputs = inferRouterOutputs<AppRouter>;
export type Procedures = AppRouter["_def"]["record"];
export type ErrorShape = AppRouter["_def"]["_config"]["$types"]["errorShape"];
`;

/** Stands for what the router's contract would be now; it is never written. */
const currentPath = join(root, "src/client/contract-now.ts");

/** The contract's text as the router is now. Throws where a procedure takes or answers what JSON does not carry. */
export function writeContract(version: number): string {
  const { program, checker } = compile({ [questionPath]: question });
  const types = exportedTypes(program, questionPath);
  const { Inputs, Outputs, Procedures, ErrorShape } = types;
  if (!Inputs || !Outputs || !Procedures || !ErrorShape) throw new Error("The router does not show its types.");
  const print = (type: ts.Type): string => printType(checker, type);
  const tree = printTree({ checker, print }, { inputs: Inputs, outputs: Outputs, procedures: Procedures });
  return `${contractHead(version)}
/** What the gateway says of an error; \`data.appCode\` is \`error.code\` of REST. */
export type SluiceErrorShape = ${print(ErrorShape)};

/** Every procedure by router and name. */
export type Procedures = ${tree};
`;
}

/** The version that a contract's text states. */
export function readContractVersion(text: string): number {
  const version = /contractVersion = (\d+)/.exec(text)?.[1];
  if (version === undefined) throw new Error("The contract states no version.");
  return Number(version);
}

/**
 * What a caller who was built against the contract as it is kept would stumble over in `current`: procedures that are
 * gone, inputs that are not taken any more, answers that lack or change something. Empty where nothing would break.
 */
export function findBreaks(kept: string, current: string): string[] {
  const keptPath = join(root, contractPath);
  const { program, checker } = compile({ [keptPath]: kept, [currentPath]: current }, plainTypes);
  const before = exportedTypes(program, keptPath)["Procedures"];
  const after = exportedTypes(program, currentPath)["Procedures"];
  if (!before || !after) throw new Error("A contract has no procedures.");
  const now = new Map(procedures(checker, after));
  const breaks: string[] = [];
  for (const [path, was] of procedures(checker, before)) {
    const is = now.get(path);
    if (is === undefined) breaks.push(`${path} is gone`);
    else if (is.kind !== was.kind) breaks.push(`${path} was a ${was.kind} and is a ${is.kind}`);
    else {
      if (!checker.isTypeAssignableTo(was.input, is.input)) breaks.push(`${path} does not take every earlier input`);
      if (!checker.isTypeAssignableTo(is.output, was.output)) breaks.push(`${path} does not answer all that it did`);
    }
  }
  return breaks;
}

type Procedure = { kind: string; input: ts.Type; output: ts.Type };

/** The procedures of a contract, `Query<Input, Output>` and `Mutation<Input, Output>`, by path. */
function procedures(checker: ts.TypeChecker, type: ts.Type, path = ""): [string, Procedure][] {
  return type.getProperties().flatMap((property): [string, Procedure][] => {
    const name = path === "" ? property.name : `${path}.${property.name}`;
    const at = checker.getTypeOfSymbol(property);
    const [input, output] = at.aliasTypeArguments ?? [];
    const kind = at.aliasSymbol?.name;
    return kind !== undefined && input && output
      ? [[name, { kind: kind.toLowerCase(), input, output }]]
      : procedures(checker, at, name);
  });
}

type Printer = { checker: ts.TypeChecker; print: (type: ts.Type) => string };
type Branch = { inputs: ts.Type; outputs: ts.Type; procedures: ts.Type };

function printTree(printer: Printer, branch: Branch): string {
  const { checker, print } = printer;
  const lines = branch.procedures.getProperties().map((property) => {
    const part = (type: ts.Type): ts.Type => typeOfProperty(checker, type, property.name);
    const next = { inputs: part(branch.inputs), outputs: part(branch.outputs), procedures: part(branch.procedures) };
    const kind = procedureKind(checker, next.procedures);
    const words = ts.displayPartsToString(property.getDocumentationComment(checker));
    const comment = words === "" ? "" : `/** ${words} */\n`;
    if (kind === null) return `${comment}${property.name}: ${printTree(printer, next)};`;
    return `${comment}${property.name}: ${kind}<${print(next.inputs)}, ${print(next.outputs)}>;`;
  });
  return `{\n${lines.join("\n")}\n}`;
}

function procedureKind(checker: ts.TypeChecker, type: ts.Type): "Query" | "Mutation" | null {
  const definition = type.getProperty("_def");
  if (definition === undefined) return null;
  const kind = checker.typeToString(typeOfProperty(checker, checker.getTypeOfSymbol(definition), "type"));
  if (kind === '"query"') return "Query";
  if (kind === '"mutation"') return "Mutation";
  throw new Error(`The contract has no word for a procedure of the type ${kind}.`);
}

function typeOfProperty(checker: ts.TypeChecker, type: ts.Type, name: string): ts.Type {
  const property = type.getProperty(name);
  if (property === undefined) throw new Error(`There is no ${name} in ${checker.typeToString(type)}.`);
  return checker.getTypeOfSymbol(property);
}

function contractHead(version: number): string {
  return `// Written by \`npm run client:contract\` from the router. Callers rely on it: what would break them raises its version.
import type { Json, Mutation, Query } from "#client/procedure.ts";

/** Raised whenever an earlier caller would stumble. */
export const contractVersion = ${String(version)};
`;
}

type Compiled = { program: ts.Program; checker: ts.TypeChecker };

/** A contract needs nothing of the DOM and of Node. */
const plainTypes: ts.CompilerOptions = { types: [], lib: ["lib.es2024.d.ts"] };

/** Compiles files that exist in memory alone, with whatever they import. Throws where they do not compile. */
function compile(texts: Record<string, string>, others: ts.CompilerOptions = {}): Compiled {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), (file) => ts.sys.readFile(file));
  const options = { ...ts.parseJsonConfigFileContent(config.config, ts.sys, root).options, ...others };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (file) => texts[file] ?? readFile(file);
  host.fileExists = (file) => file in texts || fileExists(file);
  const program = ts.createProgram(Object.keys(texts), options, host);
  const faults = Object.keys(texts).flatMap((file) => program.getSemanticDiagnostics(program.getSourceFile(file)));
  const [fault] = faults;
  if (fault) throw new Error(ts.flattenDiagnosticMessageText(fault.messageText, "\n"));
  return { program, checker: program.getTypeChecker() };
}

function exportedTypes(program: ts.Program, path: string): Record<string, ts.Type> {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  const symbol = source && checker.getSymbolAtLocation(source);
  const found = symbol ? checker.getExportsOfModule(symbol) : [];
  return Object.fromEntries(found.map((type) => [type.name, checker.getDeclaredTypeOfSymbol(type)]));
}
