import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A way to a server that can be cut and mended. */
export type TcpProxy = {
  port: number;
  /** Breaks what is connected and refuses what comes. */
  cut(): void;
  /** Keeps what is connected and passes nothing on: a network that swallows everything. */
  hang(): void;
  mend(): void;
  close(): void;
};

/** Starts a way to the server of a URL, on a free port of 127.0.0.1. A path in place of the host is a Unix socket. */
export async function startTcpProxy(target: { host: string; port: number } | { path: string }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let state: "open" | "cut" | "hung" = "open";
  const server = createServer((near) => {
    if (state === "cut") {
      near.destroy();
      return;
    }
    const far = connect(target);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      if (state === "open") socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  function breakAll(): void {
    for (const socket of sockets) socket.destroy();
  }
  return {
    port: address.port,
    cut() {
      state = "cut";
      breakAll();
    },
    hang() {
      state = "hung";
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend() {
      // What hung lost its place in the conversation.
      if (state === "hung") breakAll();
      state = "open";
    },
    close() {
      breakAll();
      server.close();
    },
  };
}
