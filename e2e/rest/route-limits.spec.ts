import { connect } from "node:net";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const own = makeProject("own");

test.slow();

/** Sends a request whose target is not touched by any client on its way, and gives status and body. */
function sendRaw(sluice: SluiceProcess, key: string, [method, target]: [string, string]): Promise<string> {
  const { hostname, port } = new URL(sluice.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let received = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => (received += text));
    socket.on("error", reject);
    socket.on("close", () => {
      resolve(received);
    });
    const head = [
      `${method} ${target} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      `Authorization: Bearer ${key}`,
      "Content-Type: application/json",
      "Content-Length: 2",
      "Connection: close",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n{}`);
  });
}

const statusOf = (answer: string): number => Number(answer.split(" ", 2)[1]);

async function ask(sluice: SluiceProcess, key: string): Promise<Response> {
  const answer = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content: "hello" }] }),
  });
  await answer.text();
  return answer;
}

test("a key for model calls manages nothing, over REST or tRPC, however the path is spelled", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects: [own] });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  await mustAdmin(sluice, "/user/new", { user_id: "root", user_role: "proxy_admin", auto_create_key: false });
  await mustAdmin(sluice, "/team/new", { team_id: "A", members_with_roles: [{ role: "admin", user_id: "root" }] });
  await mustAdmin(sluice, "/team/A/callback", {
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, own),
  });
  const key = await makeKey(sluice, { team_id: "A", user_id: "root", key_type: "llm_api" });

  const host = new URL(sluice.url).host;
  const deeds: [string, string][] = [
    ["POST", "/key/generate"],
    ["POST", "/team/A/disable_logging"],
    ["POST", "/v1/deliveries/replay"],
    ["POST", "/v1/deliveries/discard"],
    ["POST", "/v1/deliveries/backfill"],
    ["GET", "/key/list"],
  ];
  for (const [method, path] of deeds) {
    const second = path.indexOf("/", 1);
    const spellings = [
      path,
      `/%${path.charCodeAt(1).toString(16)}${path.slice(2)}`,
      `${path.slice(0, -2)}%${path.charCodeAt(path.length - 2).toString(16)}${path.slice(-1)}`,
      `/%25${path.charCodeAt(1).toString(16)}${path.slice(2)}`,
      `${path.slice(0, second)}%2F${path.slice(second + 1)}`,
      `${path}/`,
      `/${path}`,
      `//${host}${path}`,
      `http://${host}${path}`,
      `HTTP://other.example${path}`,
      `/.${path}`,
      `/portal/..${path}`,
      `/portal/%2e%2e${path}`,
      `/portal/..%2f${path.slice(1)}`,
      `/portal\\..${path.replaceAll("/", "\\")}`,
      `/_next/..${path}`,
      `/_next/static/../..${path}`,
      `/api/auth/../..${path}`,
      `/api/trpc/../..${path}`,
      `/v1/chat/completions/../../..${path}`,
      `/v1/chat/completions?/..${path}`,
      `${path};jsessionid=1`,
      `${path}?route=/v1/chat/completions`,
      `${path}#/v1/chat/completions`,
      path.toUpperCase(),
    ];
    for (const target of spellings) {
      const answer = await sendRaw(sluice, key, [method, target]);
      expect.soft(statusOf(answer), `${method} ${target}: ${answer.slice(0, 300)}`).toBeGreaterThanOrEqual(300);
      expect.soft(answer, target).not.toContain("total_count");
    }
    const plain = await sendRaw(sluice, key, [method, path]);
    expect(plain, path).toContain("Virtual key is not allowed to call this route");
  }

  const image = await sendRaw(sluice, key, ["GET", "/_next/image?url=%2Fkey%2Flist&w=640&q=75"]);
  expect(image).not.toContain("total_count");

  for (const [path, body] of [
    ["policy.disable", { teamId: "A" }],
    ["keys.block,policy.disable?batch=1", { 0: { teamId: "A" }, 1: { teamId: "A" } }],
    ["keys.generate", { fields: {} }],
  ] as const) {
    const answer = await fetch(`${sluice.url}/api/trpc/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(await answer.text(), path).toMatch(/FORBIDDEN/);
  }

  const answer = await ask(sluice, key);
  expect(answer.headers.get("x-sluice-log")).toMatch(/^langfuse=queued/);
  // Refused calls are logged too, as failures of their own.
  await until("the log arrived", () => langfuse.project(own.id).spans.length > 0);
  const id = /id=(\S+)/.exec(answer.headers.get("x-sluice-log") ?? "")?.[1] ?? "";
  expect(statusOf(await sendRaw(sluice, key, ["GET", `/v1/logs/${id}/deliveries`]))).toBe(200);
  expect(statusOf(await sendRaw(sluice, key, ["GET", `http://${host}/v1/models`]))).toBe(200);
  await langfuse.close();
});

test("keys that name paths, and keys that read or manage, do what they name and nothing else", async ({
  startSluice,
  fakes,
}) => {
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  await mustAdmin(sluice, "/user/new", { user_id: "root", user_role: "proxy_admin", auto_create_key: false });
  for (const team_id of ["A", "B"]) await mustAdmin(sluice, "/team/new", { team_id });
  const make = (fields: object) => makeKey(sluice, { user_id: "root", ...fields });
  const status = async (key: string, ...call: [string, string]) => statusOf(await sendRaw(sluice, key, call));

  const ofA = await make({ allowed_routes: ["/team/A/*"] });
  expect(await status(ofA, "GET", "/team/A/callback")).toBe(200);
  expect(await status(ofA, "GET", "/te%61m/%41/callback")).toBe(200);
  for (const target of ["/team/B/callback", "/team/A%2F..%2FB/callback", "/team/A/../B/callback"]) {
    expect(await status(ofA, "GET", target), target).toBe(403);
  }
  const ofAny = await make({ allowed_routes: ["/team/{id}/callback"] });
  expect(await status(ofAny, "GET", "/team/B/callback")).toBe(200);
  expect(await status(ofAny, "POST", "/team/B/disable_logging")).toBe(403);

  const reader = await make({ key_type: "read_only" });
  expect(await status(reader, "GET", "/team/info?team_id=A")).toBe(200);
  expect(await status(reader, "POST", "/team/A/disable_logging")).toBe(403);
  expect((await ask(sluice, reader)).status).toBe(403);

  const manager = await make({ key_type: "management" });
  expect((await ask(sluice, manager)).status).toBe(403);
  expect(await status(manager, "POST", "/team/A/disable_logging")).toBe(200);
  expect((await ask(sluice, await make({ key_type: "default" }))).status).toBe(200);
});
