import type { ServerResponse } from "node:http";
import type { PiecewiseResponse } from "#lib/piecewise-response.ts";

/**
 * Writes an answer that comes in pieces to its connection: the headers with the first piece, and no more than the client
 * takes. The body is told of a client that leaves.
 */
export function sendPieces({ body, headers }: PiecewiseResponse, response: ServerResponse): void {
  if (response.destroyed) {
    void body.leave();
    return;
  }
  response.on("close", () => {
    if (!response.writableFinished) void body.leave();
  });
  response.writeHead(200, headers);
  const breakOff = (reason: Error): void => {
    response.destroy(reason);
  };
  body
    .pump({
      write: (piece) => response.write(piece),
      drained: () => new Promise((resolve) => response.once("drain", resolve)),
      end: () => {
        response.end();
      },
      breakOff,
    })
    .catch(breakOff);
}
