import { once } from "node:events";
import { startDemo } from "../e2e/demo/demo.ts";

/**
 * `npm run seed`: a gateway for looking around, with two teams and a week of calls behind it, until it is interrupted. It
 * has a data directory of its own, which goes with it: no other gateway's data is touched.
 */
process.stdout.write("Making two teams and a week of calls …\n");
const demo = await startDemo();
process.stdout.write(
  `The portal is at    ${demo.sluice.url}/portal\n` +
    `Sign in as          ${demo.email}\n` +
    `Password            ${demo.password}\n` +
    `Master key          ${demo.sluice.masterKey}\n` +
    `It ends with Ctrl+C, and leaves nothing behind.\n`,
);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await demo.dispose();
