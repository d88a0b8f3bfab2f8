// `npm run smoke`: what a newcomer does first. Starts `npm run up` on a free port with an empty data directory, waits
// until it is ready, asks it what a person would ask, ends it, and expects an orderly end.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./setup.mjs";
import { freePort } from "./free-port.mjs";

const readyTimeoutMs = 300_000;
const stopTimeoutMs = 60_000;
const masterKey = "sk-smoke-0123456789abcdef";

async function smoke(folder) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    PORT: String(port),
    SLUICE_DATA_DIR: join(folder, "data"),
    SLUICE_MASTER_KEY: masterKey,
    SLUICE_DRAIN_SECONDS: "0",
  };
  const startedMs = performance.now();
  const server = spawn("npm", ["run", "up"], { cwd: root, env, stdio: "inherit", shell: process.platform === "win32" });
  const ended = new Promise((resolve) => server.once("exit", (code, signal) => resolve(code ?? signal)));
  try {
    await waitUntilReady(url, ended);
    console.log(`smoke: ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await ask(url);
  } finally {
    server.kill("SIGTERM");
    await ended;
  }
  // npm may end before the server has: what counts is that nobody answers any more.
  await waitUntilGone(url);
  console.log("smoke: ended in order\n\nsmoke: 1 passed, 0 failed");
}

async function waitUntilGone(url) {
  const endMs = performance.now() + stopTimeoutMs;
  while (performance.now() < endMs) {
    const answer = await fetch(`${url}/health/liveliness`).catch(() => null);
    if (answer === null) return;
    await sleep(100);
  }
  throw new Error("the server did not end in time");
}

async function waitUntilReady(url, ended) {
  let end = null;
  ended.then((outcome) => (end = outcome));
  const endMs = performance.now() + readyTimeoutMs;
  while (performance.now() < endMs) {
    if (end !== null) throw new Error(`the server ended with ${end} before it was ready`);
    const answer = await fetch(`${url}/health/readiness`).catch(() => null);
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error("the server was not ready in time");
}

async function ask(url) {
  const authorization = `Bearer ${masterKey}`;
  await expectStatus(`${url}/`, {}, 200);
  await expectStatus(`${url}/v1/models`, { headers: { authorization } }, 200);
  await expectStatus(`${url}/v1/models`, {}, 401);
  const body = JSON.stringify({ key_alias: "smoke" });
  const headers = { authorization, "content-type": "application/json" };
  const { key } = await expectStatus(`${url}/key/generate`, { method: "POST", headers, body }, 200);
  await expectStatus(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } }, 200);
}

async function expectStatus(url, init, status) {
  const answer = await fetch(url, init);
  const text = await answer.text();
  if (answer.status !== status)
    throw new Error(`${url} answered ${answer.status}, not ${status}: ${text.slice(0, 500)}`);
  console.log(`smoke: ${init.method ?? "GET"} ${url} answered ${status}`);
  return answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : null;
}

const folder = mkdtempSync(join(tmpdir(), "sluice-smoke-"));
try {
  await smoke(folder);
} catch (error) {
  console.error(`smoke: FAILED: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
