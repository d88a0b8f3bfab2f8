/** The answer with the header `x-sluice-warning`; as it is where there is nothing to warn of. */
export function withWarning(response: Response, warning: string | null): Response {
  if (warning !== null) response.headers.set("x-sluice-warning", warning);
  return response;
}
