import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installFromPypi } from "../python-venv.ts";
import { findFreePort } from "../sluice-process.ts";
import { type StartedProgram, startProgram } from "../started-program.ts";

/** Another gateway in front of Sluice, on 127.0.0.1. */
export type FrontProxy = {
  url: string;
  logs(): string;
  stop(): Promise<void>;
};

/** Exact, so that a run says the same today and tomorrow. `LITELLM` names a program that is installed already. */
const litellmPackage = "litellm[proxy]==1.106.2";
const readyMs = 120_000;
const portkeyFile = join(import.meta.dirname, "../../node_modules/@portkey-ai/gateway/build/start-server.js");
const portkeyShim = new URL("../../bench/portkey-shim.ts", import.meta.url).href;

/** The key that LiteLLM's proxy wants of its own clients; Sluice never sees it. */
export const litellmMasterKey = "sk-of-the-proxy-in-front";

/** Starts Portkey's gateway, which learns from each request's headers where to send it and with which key. */
export async function startPortkey(): Promise<FrontProxy> {
  return inFolder(async (folder) => {
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const command = [process.execPath, "--import", portkeyShim, portkeyFile, `--port=${port}`, "--headless"];
    const program = await startProgram(command, { cwd: folder, env: { HOME: folder }, readyUrl: `${url}/`, readyMs });
    return { url, program };
  });
}

/**
 * Installs LiteLLM's proxy from PyPI and starts it with one model for each of Sluice's keys, called like the key's
 * name here. Throws with the reason where Python or PyPI cannot be had.
 */
export async function startLitellm(sluiceUrl: string, keys: Readonly<Record<string, string>>): Promise<FrontProxy> {
  return inFolder(async (folder) => {
    const litellm = process.env.LITELLM ?? join(await installFromPypi(folder, [litellmPackage]), "litellm");
    const config = {
      model_list: Object.entries(keys).map(([model_name, api_key]) => ({
        model_name,
        litellm_params: { model: "litellm_proxy/fake-model", api_base: `${sluiceUrl}/v1`, api_key },
      })),
      // Without it, it passes on no header of its client's, and no call id.
      general_settings: { master_key: litellmMasterKey, forward_client_headers_to_llm_api: true },
    };
    // JSON is YAML.
    await writeFile(join(folder, "config.yaml"), JSON.stringify(config));
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const address = ["--host", "127.0.0.1", "--port", String(port)];
    const program = await startProgram([litellm, "--config", "config.yaml", ...address, "--telemetry", "False"], {
      cwd: folder,
      // It would fetch prices from the internet; a proxy that is not there keeps it on this machine whatever else it tries.
      env: { HOME: folder, LITELLM_LOCAL_MODEL_COST_MAP: "True", HTTPS_PROXY: "http://127.0.0.1:9" },
      readyUrl: `${url}/health/liveliness`,
      readyMs,
    });
    return { url, program };
  });
}

async function inFolder(
  start: (folder: string) => Promise<{ url: string; program: StartedProgram }>,
): Promise<FrontProxy> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-proxy-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const { url, program } = await start(folder);
    return { url, logs: program.logs, stop: () => program.stop().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}
