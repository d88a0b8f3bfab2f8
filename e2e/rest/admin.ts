import { setTimeout as sleep } from "node:timers/promises";
import type { SluiceProcess } from "../sluice-process.ts";

/** What a management route answered. */
export type AdminAnswer = { status: number; body: Record<string, unknown> };

/** Calls a management route with the master key. */
export async function admin(sluice: SluiceProcess, path: string, body?: object): Promise<AdminAnswer> {
  const response = await fetch(`${sluice.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${sluice.masterKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: toObject(await response.json()) };
}

/** `admin`, and throws where the answer is not 200. */
export async function mustAdmin(sluice: SluiceProcess, path: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await admin(sluice, path, body);
  if (answer.status !== 200)
    throw new Error(`${path} answered ${String(answer.status)}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** A team's key for calls. */
export async function makeKey(sluice: SluiceProcess, fields: object): Promise<string> {
  const { key } = await mustAdmin(sluice, "/key/generate", fields);
  if (typeof key !== "string") throw new Error("/key/generate gave no key.");
  return key;
}

/** The variables of a Langfuse project at a fake, as a team owner would give them. */
export function langfuseVars(url: string, project: { publicKey: string; secretKey: string }): Record<string, string> {
  return {
    langfuse_public_key: project.publicKey,
    langfuse_secret_key: project.secretKey,
    langfuse_host: url,
  };
}

/** Keys of a project that nobody else has. */
export function makeProject(id: string): { id: string; name: string; publicKey: string; secretKey: string } {
  return { id, name: `Project ${id}`, publicKey: `pk-lf-${id}`, secretKey: `sk-lf-secret-of-${id}` };
}

/** Waits until a condition holds; throws with `what` after `timeoutMs`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (performance.now() < endMs) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error(`Waited in vain until ${what}.`);
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : { value };
}
