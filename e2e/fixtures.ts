import { type LaunchOptions, test as base } from "@playwright/test";
import { findChromium } from "./browser.ts";
import { startFakeLangfuse } from "./fakes/langfuse.ts";
import { startFakeOpenai } from "./fakes/openai.ts";
import { type SluiceOptions, type SluiceProcess, startSluiceProcess } from "./sluice-process.ts";

export { expect } from "@playwright/test";

/** The stand-ins for the vendors. They are shared by a worker's tests and remember everything that arrived. */
export type Fakes = {
  openai: Awaited<ReturnType<typeof startFakeOpenai>>;
  langfuse: Awaited<ReturnType<typeof startFakeLangfuse>>;
};

type TestFixtures = {
  /** Starts a server of the test's own; it is gone when the test ends, and its log is printed where the test failed. */
  startSluice: (options?: SluiceOptions) => Promise<SluiceProcess>;
};

type WorkerFixtures = {
  fakes: Fakes;
  /** The server that a worker's tests share. They make teams and keys of their own and never stop it. */
  sluice: SluiceProcess;
  launchOptions: LaunchOptions;
};

/** A configuration with `fake-model`, which the fake OpenAI answers, and with whatever else a test needs. */
export function fakeModelConfig(fakes: Fakes, others: readonly object[] = []): Record<string, unknown> {
  const params = { model: "openai/fake-model", api_base: fakes.openai.baseUrl, api_key: "sk-fake-upstream" };
  return { model_list: [{ model_name: "fake-model", litellm_params: params }, ...others] };
}

/** Playwright's `test` with the fakes, the shared server, servers of one's own, and a browser that is found or fails. */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  fakes: [
    // Playwright reads a fixture's needs from its first parameter, which must be a pattern.
    async ({}, use) => {
      const openai = await startFakeOpenai();
      const langfuse = await startFakeLangfuse();
      await use({ openai, langfuse });
      await Promise.all([openai.close(), langfuse.close()]);
    },
    { scope: "worker" },
  ],
  sluice: [
    async ({ fakes }, use) => {
      const sluice = await startSluiceProcess({ config: fakeModelConfig(fakes) });
      await use(sluice);
      await sluice.dispose();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  startSluice: async ({}, use, testInfo) => {
    const started: SluiceProcess[] = [];
    await use(async (options) => {
      const sluice = await startSluiceProcess(options);
      started.push(sluice);
      return sluice;
    });
    for (const sluice of started) {
      if (testInfo.status !== testInfo.expectedStatus) console.error(`${sluice.url} printed:\n${sluice.logs()}`);
      await sluice.dispose();
    }
  },
  launchOptions: [async ({}, use) => use(await findChromium()), { scope: "worker", timeout: 900_000 }],
  baseURL: async ({ sluice }, use) => use(sluice.url),
});
