/** The answer with one more sentence in the header `x-sluice-warning`; as it is where there is nothing to warn of. */
export function withWarning(response: Response, warning: string | null): Response {
  if (warning === null) return response;
  const earlier = response.headers.get("x-sluice-warning");
  response.headers.set("x-sluice-warning", earlier === null ? warning : `${earlier}; ${warning}`);
  return response;
}
