import { createServer, type Socket } from "node:net";

/** A message as the server took it. */
export type TakenMail = { from: string; to: string[]; text: string };

/** A server that takes e-mail in the clear, on 127.0.0.1, and remembers it. */
export type SmtpServer = {
  port: number;
  mails: TakenMail[];
  /** From now on every message is refused for a while, or not any more. */
  setRefusing(isRefusing: boolean): void;
  close(): Promise<void>;
};

/** Starts one. It speaks as much of RFC 5321 as a client needs to hand over a message. */
export async function startSmtpServer(): Promise<SmtpServer> {
  const mails: TakenMail[] = [];
  const sockets = new Set<Socket>();
  let isRefusing = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    talk(socket, { mails, isRefusing: () => isRefusing });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return {
    port: address.port,
    mails,
    setRefusing: (given) => (isRefusing = given),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function talk(socket: Socket, { mails, isRefusing }: { mails: TakenMail[]; isRefusing: () => boolean }): void {
  let buffered = "";
  let mail: TakenMail = { from: "", to: [], text: "" };
  let isData = false;

  function answer(line: string): void {
    const command = line.slice(0, 4).toUpperCase();
    if (command === "EHLO" || command === "HELO") socket.write("250 fake\r\n");
    else if (command === "MAIL") {
      mail = { from: addressIn(line), to: [], text: "" };
      socket.write(isRefusing() ? "451 Not now\r\n" : "250 OK\r\n");
    } else if (command === "RCPT") {
      mail.to.push(addressIn(line));
      socket.write("250 OK\r\n");
    } else if (command === "DATA") {
      isData = true;
      socket.write("354 Go on\r\n");
    } else if (command === "QUIT") socket.end("221 Bye\r\n");
    else socket.write("250 OK\r\n");
  }

  socket.write("220 fake\r\n");
  socket.on("data", (chunk) => {
    buffered += chunk.toString("utf8");
    for (;;) {
      const end = isData ? buffered.indexOf("\r\n.\r\n") : buffered.indexOf("\r\n");
      if (end < 0) return;
      const part = buffered.slice(0, end);
      buffered = buffered.slice(end + (isData ? 5 : 2));
      if (isData) {
        isData = false;
        mails.push({ ...mail, text: part });
        socket.write("250 Taken\r\n");
      } else answer(part);
    }
  });
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? "";
}
