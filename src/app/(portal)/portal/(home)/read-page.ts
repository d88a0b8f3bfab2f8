/** What Next gives a page of what its address holds. */
export type PageProps = {
  params: Promise<Record<string, string | undefined>>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
};

/** The address as the page's components read it: the parts of the path, and what stands behind the question mark. */
export async function readPage({ params, searchParams }: PageProps) {
  const [path, query] = await Promise.all([params, searchParams]);
  return {
    teamId: decodeURIComponent(path.teamId ?? ""),
    param: (name: string): string => path[name] ?? "",
    readAddress: (name: string): string => [query[name] ?? ""].flat()[0] ?? "",
  };
}
