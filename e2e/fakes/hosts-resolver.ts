import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { resolverState } from "#lib/address-resolver.ts";

// Loaded into a server under test by `node --import`: names that end in .test have the addresses of a JSON file, which
// is read anew for each lookup, so that a test can change where a name leads.
resolverState.set(async (host) => {
  if (!host.endsWith(".test")) return (await lookup(host, { all: true })).map(({ address }) => address);
  const hosts: unknown = JSON.parse(readFileSync(process.env.E2E_HOSTS_FILE ?? "", "utf8"));
  const [, found] = Object.entries(hosts ?? {}).find(([name]) => name === host) ?? [];
  const address: unknown = found;
  if (typeof address !== "string") throw Object.assign(new Error("There is no such name."), { code: "ENOTFOUND" });
  return [address];
});
