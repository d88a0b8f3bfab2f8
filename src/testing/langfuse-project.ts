import type { DeliveryContext, DeliveryResult } from "#logging/destinations/destination.ts";
import { langfuse } from "#logging/destinations/langfuse.ts";
import type { LogRecord } from "#logging/record.ts";

/** The part of a fake Langfuse server that is asked for what it shows. */
export type ShowingLangfuse<Span> = { url: string; project(id: string): { spans: Span[] } };

/** Ways to one project of a Langfuse server. */
export type LangfuseProject<Span> = {
  deliver(
    records: LogRecord[],
    vars?: Record<string, unknown>,
    changes?: Partial<DeliveryContext>,
  ): Promise<readonly DeliveryResult[]>;
  /** Delivers one record; throws unless the project then shows exactly one span, without warnings. */
  show(record: LogRecord, vars?: Record<string, unknown>): Promise<Span>;
};

/** The project that the server has to know. */
export const testProject = {
  id: "project-1",
  name: "Project One",
  publicKey: "pk-lf-project-1",
  secretKey: "sk-lf-project-1-secret",
};

/** Ways to `testProject` on the running server `fake`. */
export function makeLangfuseProject<Span extends { warnings: string[] }>(
  fake: ShowingLangfuse<Span>,
): LangfuseProject<Span> {
  const { id, publicKey, secretKey } = testProject;
  const own = { langfuse_public_key: publicKey, langfuse_secret_key: secretKey, langfuse_host: fake.url };
  const deliver: LangfuseProject<Span>["deliver"] = (records, vars = {}, changes = {}) => {
    const context = { callbackId: "callback-1", reach: "operator" as const, signal: new AbortController().signal };
    return langfuse.deliver(records, { ...own, ...vars }, { ...context, ...changes });
  };
  return {
    deliver,
    async show(record, vars = {}) {
      const results = await deliver([record], vars);
      const [span, ...others] = fake.project(id).spans;
      const isShown = results.length === 1 && results[0]?.outcome === "delivered" && others.length === 0;
      if (!isShown || !span || span.warnings.length > 0) {
        throw new Error(`Not one clean span: ${JSON.stringify({ results, span, others })}`);
      }
      return span;
    },
  };
}
