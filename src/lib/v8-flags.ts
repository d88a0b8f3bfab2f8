import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8 from compiling calls out of WebAssembly anew once they are frequent. That happens in a table which all
 * threads share, and now and then aborts the process ("Check failed: jit_page.has_value()", nodejs/node 64500) where
 * more than one thread runs WebAssembly, as the embedded database, Prisma and undici do. What stays is the general way
 * of such calls, which is no slower here. The value is the largest number of calls that V8 counts to.
 */
export const steadyWasmFlag = "--wasm-wrapper-tiering-budget=2147483647";

/**
 * Keeps V8 from making objects old at once where those of the same place once lived long. An old object that nobody
 * needs any more holds all that it refers to until the next full collection: one listener a call held the whole call, a
 * tenth of all that calls allocate, which every collection of the young had to move (7.5 ms instead of 2.3).
 */
export const noPretenuringFlag = "--no-allocation-site-pretenuring";

// In force for what is compiled and instantiated from here on: whoever starts threads imports this file first.
for (const flag of [steadyWasmFlag, noPretenuringFlag]) setFlagsFromString(flag);
