// Loaded into a gateway with `--import`: lets a test break what the gateway stands on. The file that
// SLUICE_TEST_FAULTS names says what is broken now: {"clockMs": 0, "isDiskFull": false, "endsThread": false,
// "throws": false}.
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isMainThread, workerData } from "node:worker_threads";

const RealDate = Date;
let faults = {};
let hasThrown = false;
read();
setInterval(read, 50).unref();

function read() {
  try {
    faults = JSON.parse(readFileSync(process.env.SLUICE_TEST_FAULTS ?? "", "utf8"));
  } catch {
    // It is being written.
  }
  if (faults.endsThread === true && workerData?.queuePath !== undefined) throw new Error("The test ends this thread.");
  if (faults.throws === true && isMainThread && !hasThrown) {
    hasThrown = true;
    throw new Error("The test throws what nobody catches.");
  }
}

globalThis.Date = class extends RealDate {
  constructor(...values) {
    if (values.length === 0) super(Date.now());
    else super(...values);
  }
  static now() {
    return RealDate.now() + (faults.clockMs ?? 0);
  }
};

const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function (sql) {
  if (sql.startsWith("BEGIN")) {
    const pages = this.prepare("PRAGMA page_count").get()?.page_count ?? 0;
    exec.call(this, `PRAGMA max_page_count = ${faults.isDiskFull === true ? pages : 4_294_967_294}`);
  }
  return exec.call(this, sql);
};
