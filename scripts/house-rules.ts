import { basename, dirname, relative } from "node:path";
import { AST_NODE_TYPES, ESLintUtils, type TSESTree } from "@typescript-eslint/utils";
import { findImportFault } from "./may-import.ts";

const createRule = ESLintUtils.RuleCreator.withoutDocs;

type SourceNode = TSESTree.ExportAllDeclaration | TSESTree.ExportNamedDeclaration | TSESTree.ImportDeclaration;

/** Every import keeps to the table `MAY_IMPORT`, and is written `#…`. */
const mayImport = createRule({
  meta: { type: "problem", schema: [], defaultOptions: [], messages: { fault: "{{fault}}" } },
  create(context) {
    const file = relative(context.cwd, context.filename).replaceAll("\\", "/");
    function check(source: TSESTree.Node, typeOnly: boolean): void {
      if (source.type !== AST_NODE_TYPES.Literal || typeof source.value !== "string") return;
      const fault = findImportFault({ file, source: source.value, typeOnly });
      if (fault !== null) context.report({ node: source, messageId: "fault", data: { fault } });
    }
    function checkStatement(node: SourceNode): void {
      if (node.source !== null) check(node.source, isTypeOnly(node));
    }
    return {
      ImportDeclaration: checkStatement,
      ExportAllDeclaration: checkStatement,
      ExportNamedDeclaration: checkStatement,
      ImportExpression: (node) => check(node.source, false),
      TSImportType: (node) => check(node.source, true),
    };
  },
});

function isTypeOnly(node: SourceNode): boolean {
  if (node.type === AST_NODE_TYPES.ImportDeclaration) {
    if (node.importKind === "type") return true;
    const named = node.specifiers.filter((specifier) => specifier.type === AST_NODE_TYPES.ImportSpecifier);
    const allNamed = named.length > 0 && named.length === node.specifiers.length;
    return allNamed && named.every((specifier) => specifier.importKind === "type");
  }
  return node.exportKind === "type";
}

/** Files are kebab-case; Next's own dynamic folders (`[team_id]`) and groups (`(rest)`) keep their spelling. */
const fileName = createRule({
  meta: {
    type: "problem",
    schema: [],
    defaultOptions: [],
    messages: { name: "The file name {{name}} is not kebab-case." },
  },
  create: (context) => ({
    Program(node) {
      const name = basename(context.filename);
      if (dirname(context.filename) === context.cwd) return;
      if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)+$/.test(name)) {
        context.report({ node, messageId: "name", data: { name } });
      }
    },
  }),
});

/** The lint rules that only this house has. */
export const houseRules = { rules: { "may-import": mayImport, "file-name": fileName } };
