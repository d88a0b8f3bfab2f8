import { createServer, type ServerResponse } from "node:http";
import { z } from "zod";

/** How a sink behaves, chosen by the path of its URL. */
export const sinkKinds = ["fast", "slow", "hung", "refusing"] as const;
export type SinkKind = (typeof sinkKinds)[number];

/** A destination of the benchmark: it takes batches of the `webhook` callback and notes when which call arrived. */
export type RecordSink = {
  url(kind: SinkKind): string;
  /** When a call arrived first at the fast sink, on `performance.now()`. */
  arrivedAt: ReadonlyMap<string, number>;
  /** Called with the bytes of every batch for the fast sink. */
  onBatch(listener: (body: Buffer) => void): void;
  /** Whether batches are read: without it their calls are not noted, and the sink costs as little as it can. */
  setReading(isReading: boolean): void;
  stop(): Promise<void>;
};

const slowMs = 5_000;
const Batch = z.array(z.object({ litellm_call_id: z.string() }));

/** Starts a sink on 127.0.0.1. */
export async function startRecordSink(): Promise<RecordSink> {
  const arrivedAt = new Map<string, number>();
  const held = new Set<ServerResponse>();
  let listener: (body: Buffer) => void = () => undefined;
  let isReading = true;

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const kind = sinkKinds.find((name) => request.url?.startsWith(`/${name}`)) ?? "fast";
      if (kind === "hung") held.add(response);
      else if (kind === "slow") setTimeout(() => response.end("{}"), slowMs).unref();
      else if (kind === "refusing") response.writeHead(401).end("{}");
      else {
        const body = Buffer.concat(chunks);
        if (isReading) {
          for (const { litellm_call_id: id } of Batch.parse(JSON.parse(body.toString("utf8")))) {
            if (!arrivedAt.has(id)) arrivedAt.set(id, performance.now());
          }
        }
        listener(body);
        response.end("{}");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The sink has no port.");
  return {
    url: (kind) => `http://127.0.0.1:${String(address.port)}/${kind}`,
    arrivedAt,
    onBatch: (given) => (listener = given),
    setReading: (given) => (isReading = given),
    async stop() {
      for (const response of held) response.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
