import "./page.css";

/** The page of an address that nothing answers. */
export default function NotFoundPage() {
  return (
    <main className="start">
      <header>
        <h1>Nothing here</h1>
        <p>
          This address leads nowhere. <a href="/">Back to the start</a>
        </p>
      </header>
    </main>
  );
}
