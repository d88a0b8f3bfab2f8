import type { ServerResponse } from "node:http";
import { currentLogger } from "#lib/logger.ts";
import type { PiecewiseResponse } from "#lib/piecewise-response.ts";

/**
 * Writes an answer that comes in pieces to its connection: the headers with the first piece where that is there already,
 * and no more than the client takes. The body is told of a client that leaves. Throws where the headers cannot be sent.
 */
export function sendPieces({ body, headers }: PiecewiseResponse, response: ServerResponse): void {
  const progress = { hasWritten: false };
  const breakOff = (reason: Error): void => {
    response.destroy(reason);
  };
  const fail = (error: unknown): void => {
    currentLogger().error({ error: error instanceof Error ? error.stack : String(error) }, "an answer broke off");
    response.destroy();
  };
  const leave = (): void => {
    if (!response.writableFinished) body.leave().catch(fail);
  };
  if (response.destroyed) {
    leave();
    return;
  }
  try {
    response.writeHead(200, headers);
  } catch (error) {
    leave();
    throw error;
  }
  response.on("close", leave).on("error", leave);
  body
    .pump({
      write(piece) {
        progress.hasWritten = true;
        return response.write(piece);
      },
      drained: () => new Promise((resolve) => response.once("drain", resolve)),
      end: () => {
        response.end();
      },
      breakOff,
    })
    .catch(fail);
  if (!progress.hasWritten) response.flushHeaders();
}
