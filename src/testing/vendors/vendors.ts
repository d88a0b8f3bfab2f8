import { anthropicCases } from "#testing/vendors/anthropic-cases.ts";
import { bedrockCases } from "#testing/vendors/bedrock-cases.ts";
import type { Vendor } from "#testing/vendors/vendor-case.ts";

/** Every vendor whose wire is translated. */
export const vendors: readonly Vendor[] = [anthropicCases, bedrockCases];
