/** The page of an address that nothing answers. */
export default function NotFoundPage() {
  return (
    <main className="mx-auto grid max-w-md gap-2 px-6 py-24">
      <h1 className="text-xl font-semibold">Nothing here</h1>
      <p className="text-quiet">
        This address leads nowhere.{" "}
        <a href="/portal" className="text-accent underline underline-offset-4">
          Back to the portal
        </a>
      </p>
    </main>
  );
}
