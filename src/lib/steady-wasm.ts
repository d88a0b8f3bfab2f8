import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8 from compiling calls out of WebAssembly anew once they are frequent. That happens in a table which all
 * threads share, and now and then aborts the process ("Check failed: jit_page.has_value()", nodejs/node 64500) where
 * more than one thread runs WebAssembly, as the embedded database, Prisma and undici do. What stays is the general way
 * of such calls, which is no slower here. The value is the largest number of calls that V8 counts to.
 */
export const steadyWasmFlag = "--wasm-wrapper-tiering-budget=2147483647";

// In force for the modules that are instantiated from here on: whoever starts threads imports this file first.
setFlagsFromString(steadyWasmFlag);
