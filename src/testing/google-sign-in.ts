import { createServer } from "node:http";
import { afterAll, beforeAll } from "vitest";
import { giveToken, makeAccount, type FakeAccount } from "#testing/google-accounts.ts";

/** Google's token endpoint, which knows one service account. */
type GoogleSignIn = {
  tokenUri: string;
  account: FakeAccount;
  /** How often a token was asked for. */
  asked(): number;
  close(): void;
};

/** Runs for all tests of the calling file. */
export function googleSignInOfFile(): Omit<GoogleSignIn, "close"> {
  let started: GoogleSignIn | null = null;
  beforeAll(async () => {
    started = await startGoogleSignIn();
  });
  afterAll(() => {
    started?.close();
  });
  const google = (): GoogleSignIn => {
    if (started === null) throw new Error("Google's sign-in runs while there are tests.");
    return started;
  };
  return {
    get tokenUri() {
      return google().tokenUri;
    },
    get account() {
      return google().account;
    },
    asked: () => google().asked(),
  };
}

async function startGoogleSignIn(): Promise<GoogleSignIn> {
  let asked = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked += 1;
      const form = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
      const audience = `http://${request.headers.host ?? ""}/token`;
      const { status, body } = giveToken(form, { accounts: [account], audience }).answer;
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("Google has no port.");
  const tokenUri = `http://127.0.0.1:${String(address.port)}/token`;
  const account = makeAccount("gateway@fake-project.iam.gserviceaccount.com", tokenUri);
  return { tokenUri, account, asked: () => asked, close: () => server.close() };
}
