import { azureCases } from "#testing/vendors/azure-cases.ts";
import { geminiCases } from "#testing/vendors/gemini-cases.ts";
import { groqCases } from "#testing/vendors/groq-cases.ts";
import { mistralCases } from "#testing/vendors/mistral-cases.ts";
import { ollamaCases } from "#testing/vendors/ollama-cases.ts";
import { openaiServerCases } from "#testing/vendors/openai-server-cases.ts";
import { openrouterCases } from "#testing/vendors/openrouter-cases.ts";
import type { PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { vllmCases } from "#testing/vendors/vllm-cases.ts";

/** Vendors whose answers are passed on as they are. */
export const passedOnVendors: readonly PassedOnVendor[] = [
  openaiServerCases,
  azureCases,
  geminiCases,
  mistralCases,
  groqCases,
  openrouterCases,
  ollamaCases,
  vllmCases,
];
