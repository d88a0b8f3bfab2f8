import tseslint from "typescript-eslint";
import { houseRules } from "./scripts/house-rules.ts";

const tests = ["**/*.test.ts", "**/*.test.tsx", "**/*.spec.ts"];

/** Where code may do what the product may not: reach any address, and print. */
const outsideTheProduct = ["bench/**", "e2e/**", "prisma/**", "scripts/**", "src/testing/**", ...tests];

export default tseslint.config(
  {
    ignores: [
      ".next/",
      "data/",
      "dist/",
      "next-env.d.ts",
      "playwright-report/",
      "src/client/contract.ts",
      "src/lib/prisma/",
      "test-results/",
    ],
  },
  {
    files: ["**/*.{ts,tsx,js,mjs}"],
    plugins: { house: houseRules },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "house/file-name": "error",
      eqeqeq: "error",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: false }],
      "max-params": ["error", { max: 3 }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "house/may-import": "error",
      "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
      // A recursive type such as Json cannot be written with Record.
      "@typescript-eslint/consistent-indexed-object-style": "off",
      "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
      "@typescript-eslint/consistent-type-definitions": ["error", "type"],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      // Brackets tell names of the wire from names of ours.
      "@typescript-eslint/dot-notation": "off",
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/prefer-nullish-coalescing": ["error", { ignorePrimitives: { string: true, boolean: true } }],
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // There are no classes, so no method asks for `this`.
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    ignores: outsideTheProduct,
    rules: {
      "no-console": "error",
      "no-restricted-globals": ["error", { name: "fetch", message: "Remote calls go through lib/fetch-upstream.ts." }],
      "no-restricted-properties": [
        "error",
        { object: "globalThis", property: "fetch", message: "Remote calls go through lib/fetch-upstream.ts." },
      ],
    },
  },
  {
    files: ["src/lib/fetch-upstream.ts"],
    rules: { "no-restricted-globals": "off", "no-restricted-properties": "off" },
  },
  // The one place that gives what it stored untyped its type back.
  { files: ["src/lib/state.ts"], rules: { "@typescript-eslint/consistent-type-assertions": "off" } },
  // A component's function is mostly markup.
  {
    files: ["src/**/*.tsx"],
    rules: { "max-lines-per-function": ["error", { max: 120, skipBlankLines: true, skipComments: true }] },
  },
  // A fake shows whatever arrived.
  {
    files: outsideTheProduct,
    rules: {
      "@typescript-eslint/no-base-to-string": "off",
      "@typescript-eslint/restrict-template-expressions": "off",
    },
  },
  { files: tests, rules: { "max-lines-per-function": "off" } },
);
