import { anthropicCases } from "#testing/vendors/anthropic-cases.ts";
import { bedrockCases } from "#testing/vendors/bedrock-cases.ts";
import { vertexClaudeCases } from "#testing/vendors/vertex-claude-cases.ts";
import type { Vendor } from "#testing/vendors/vendor-case.ts";

/** Every vendor whose wire is translated. */
export const vendors: readonly Vendor[] = [anthropicCases, bedrockCases, vertexClaudeCases];
