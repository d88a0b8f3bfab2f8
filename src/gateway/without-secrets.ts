import type { Deployment } from "#gateway/models.ts";

/** A text of an upstream without the credentials that it was called with, which are the operator's: it may echo them. */
export function withoutSecrets(
  text: string,
  { apiKey, vendorParams }: Pick<Deployment, "apiKey" | "vendorParams">,
): string {
  let shown = text;
  for (const secret of [
    apiKey,
    ...Object.entries(vendorParams).map(([name, value]) => (isSecret(name) ? value : null)),
  ]) {
    if (secret !== null && secret.length >= 4) shown = shown.replaceAll(secret, "***");
  }
  return shown;
}

function isSecret(name: string): boolean {
  return /key|secret|token|credentials/.test(name);
}
