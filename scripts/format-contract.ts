import { format, resolveConfig } from "prettier";
import { contractPath } from "./router-contract.ts";

/** The contract's text as it is kept, so that what differs is what the router says. */
export async function formatContract(text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(contractPath)), parser: "typescript" });
}
