/** The address of a page of a team. Team ids may hold any character. */
export function teamPath(teamId: string, page = ""): string {
  return `/portal/teams/${encodeURIComponent(teamId)}${page === "" ? "" : `/${page}`}`;
}

/** The teams that can be changed to at once; the palette and the page of teams find the others. */
export const switcherTeams = { limit: 15 } as const;

/** The team that an address names; null where it names none. */
export function teamIdOf(pathname: string): string | null {
  const segment = /^\/portal\/teams\/([^/]+)/.exec(pathname)?.[1];
  return segment === undefined ? null : decodeURIComponent(segment);
}
