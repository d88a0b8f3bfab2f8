import { expect, test } from "vitest";
import { readPasted } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/paste-vars.ts";

const base = {
  description: null,
  aliasOf: null,
  isSecret: false,
  isTarget: false,
  type: "text" as const,
  defaultValue: null,
};
const langfuse = {
  env: { LANGFUSE_PUBLIC_KEY: "langfuse_public_key", LANGFUSE_SECRET_KEY: "langfuse_secret_key" },
  vars: ["langfuse_public_key", "langfuse_secret_key", "langfuse_host"].map((name) => ({
    ...base,
    choices: [],
    name,
    title: name,
  })),
};
const gcs = { env: {}, vars: [{ ...base, choices: [], name: "gcs_service_account_json", title: "Key" }] };

test("a pasted .env block fills the variables, quotes and export left out", () => {
  const text = `# Langfuse\nexport LANGFUSE_SECRET_KEY="sk-lf-1"\nLANGFUSE_PUBLIC_KEY='pk-lf-1'\nLANGFUSE_BASE_URL = https://eu.example.com\nOTHER=x`;
  expect(readPasted(text, langfuse)).toEqual({
    langfuse_secret_key: "sk-lf-1",
    langfuse_public_key: "pk-lf-1",
    langfuse_host: "https://eu.example.com",
  });
});

test("our own names work in any case", () => {
  expect(readPasted("langfuse_host: https://a.example", langfuse)).toEqual({ langfuse_host: "https://a.example" });
});

test("a service account's JSON fills the one variable that takes it, and nothing elsewhere", () => {
  const text = JSON.stringify({ type: "service_account", project_id: "p" });
  expect(readPasted(text, gcs)).toEqual({ gcs_service_account_json: text });
  expect(readPasted(text, langfuse)).toEqual({});
});

test("a variable's other name fills the one that the form shows", () => {
  const alias = { ...base, choices: [], name: "langfuse_secret", title: "Other", aliasOf: "langfuse_secret_key" };
  const vars = [...langfuse.vars, alias];
  expect(readPasted("LANGFUSE_SECRET=sk-lf-1", { ...langfuse, vars })).toEqual({ langfuse_secret_key: "sk-lf-1" });
});

test("a text without variables fills nothing", () => {
  expect(readPasted("hello\n\n=", langfuse)).toEqual({});
});
