// `npm run up`: sets up what is missing or stale, then serves in the foreground. Arguments go to the server, signals
// reach it once, and its exit code is ours.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { failWith, projectEnv, root, setUp } from "./setup.mjs";

/** A terminal signals the whole group and npm passes the signal on as well: what comes this close is one signal. */
const oneSignalMs = 500;

/** npm's shell ends on SIGTERM and tells nobody: that it is gone is then the signal. */
const parentCheckMs = 250;
const parentId = process.ppid;

function serve(node) {
  const child = spawn(node, ["src/server.ts", ...process.argv.slice(2)], {
    cwd: root,
    env: projectEnv(node, { NODE_ENV: process.env.NODE_ENV ?? "production" }),
    stdio: ["ignore", "inherit", "inherit"],
    // A group of its own: the terminal's signal comes to us, and from us to the server.
    detached: process.platform !== "win32",
  });
  let lastSignalMs = Number.NEGATIVE_INFINITY;
  function forward(signal) {
    const nowMs = performance.now();
    if (nowMs - lastSignalMs > oneSignalMs) child.kill(signal);
    lastSignalMs = nowMs;
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => forward(signal));
  if (process.env.npm_lifecycle_event !== undefined) {
    const watch = setInterval(() => {
      if (process.ppid === parentId) return;
      clearInterval(watch);
      forward("SIGTERM");
    }, parentCheckMs);
  }
  child.once("error", (error) => {
    console.error(`The server did not start: ${error.message}`);
    process.exit(1);
  });
  child.once("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

await setUp().then(serve, failWith);
