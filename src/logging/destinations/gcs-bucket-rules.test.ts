import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TeamVarsSettings } from "#logging/destinations/destination.ts";
import { checkGcsVars } from "#logging/destinations/gcs-bucket-rules.ts";
import { makeAccount } from "#testing/google-accounts.ts";

const failedToLoad =
  "Failed to load vertex credentials. Check to see if credentials containing partial/invalid information.";
const foreignUri = "https://tokens.example.com/token";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gcs-rules-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function faultOf(given: Record<string, unknown>, allowed: Partial<TeamVarsSettings> = {}) {
  return checkGcsVars(given, { serviceAccountDirs: [], googleTokenUris: [], ...allowed });
}

describe("what a team may write", () => {
  test("a path only inside the operator's folders, links included", async () => {
    const open = join(folder, "open");
    await mkdir(open);
    await writeFile(join(open, "key.json"), "{}");
    await writeFile(join(folder, "outside.json"), "{}");
    await symlink(join(folder, "outside.json"), join(open, "link.json"));
    const paths = ["key.json", "link.json", "../outside.json", "not-yet.json", ""].map((name) => `${open}/${name}`);
    const allowed = paths.filter(
      (path) => faultOf({ gcs_path_service_account: path }, { serviceAccountDirs: [open] }) === null,
    );
    expect(allowed).toEqual([`${open}/key.json`, `${open}/not-yet.json`]);
    for (const path of ["/etc/passwd", "/proc/self/environ", "key.json", `${open}x/key.json`]) {
      const fault = faultOf({ gcs_path_service_account: path }, { serviceAccountDirs: [open] });
      expect(fault).toMatchObject({ name: "gcs_path_service_account" });
      expect(fault?.message).toContain(failedToLoad);
      expect(fault?.message).not.toContain(path);
    }
  });

  test("a reference of the environment, but not for an endpoint of its own", () => {
    const path = { gcs_path_service_account: "os.environ/GCS_SERVICE_ACCOUNT" };
    expect(faultOf(path)).toBeNull();
    expect(faultOf({ ...path, gcs_api_endpoint: "https://team.example.com" })).toMatchObject({
      name: "gcs_path_service_account",
    });
  });

  test("a key of a service account that asks for tokens at Google, or where the operator says", () => {
    const google = makeAccount("writer@p.iam.gserviceaccount.com", "https://oauth2.googleapis.com/token");
    expect(faultOf({ gcs_service_account_json: google.json })).toBeNull();
    const foreign = makeAccount("writer@p.iam.gserviceaccount.com", foreignUri);
    expect(faultOf({ gcs_service_account_json: foreign.json })?.message).toContain("token_uri");
    expect(faultOf({ gcs_service_account_json: foreign.json }, { googleTokenUris: [foreignUri] })).toBeNull();
  });

  test.each([
    ["a program to run", { type: "external_account", credential_source: { executable: { command: "/bin/canary" } } }],
    ["an address to fetch", { type: "external_account", credential_source: { url: "http://169.254.169.254/canary" } }],
    ["a person's credentials", { type: "authorized_user", refresh_token: "canary" }],
    ["a key that is none", { type: "service_account", client_email: "a@b", private_key: "canary" }],
  ])("never %s, and nothing of it is repeated", (_title, file) => {
    const fault = faultOf({ gcs_service_account_json: JSON.stringify(file) });
    expect(fault).toMatchObject({ name: "gcs_service_account_json" });
    expect(JSON.stringify(fault)).not.toContain("canary");
  });
});
