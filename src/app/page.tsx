import { headers } from "next/headers";
import { version } from "../../package.json";
import "./page.css";

const endpoints = [
  { path: "/v1/chat/completions", does: "Chat, streamed or whole" },
  { path: "/v1/models", does: "The models that your key may use" },
  { path: "/key/generate", does: "Make a virtual key" },
  { path: "/team/new", does: "Make a team" },
  { path: "/team/{team_id}/callback", does: "Say where a team's logs go" },
];

/** The page at `/`: what is running here, and where to start. Works without scripts. */
export default async function StartPage() {
  const firstRequest = toFirstRequest(await headers());
  return (
    <main className="start">
      <header>
        <h1>
          Sluice <small>version {version}</small>
        </h1>
        <p>The LLM gateway where every team owns its logs. It is running here.</p>
      </header>

      <section aria-labelledby="first-request">
        <h2 id="first-request">First request</h2>
        <p>Put your key into SLUICE_KEY, and a name that /v1/models lists in the place of MODEL.</p>
        {/* Scrolls sideways on a small screen, so the keyboard must be able to reach it. */}
        <pre tabIndex={0} role="region" aria-label="Command">
          <code>{firstRequest}</code>
        </pre>
      </section>

      <section aria-labelledby="endpoints">
        <h2 id="endpoints">Endpoints</h2>
        <dl>
          {endpoints.map(({ path, does }) => (
            <div key={path}>
              <dt>
                <code>{path}</code>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
      </section>

      <section aria-labelledby="state">
        <h2 id="state">State and documentation</h2>
        <p>
          <a href="/health/readiness">Readiness</a> and <a href="/health/liveliness">liveness</a> answer without a key.
          Everything else is in <code>README.md</code> at the top of the repository.
        </p>
      </section>
    </main>
  );
}

/** The command with the address under which the browser reached this page. */
function toFirstRequest(received: Headers): string {
  const host = received.get("host") ?? "";
  const address = /^[\w.:[\]-]+$/.test(host) ? host : "127.0.0.1:4000";
  const protocol = received.get("x-forwarded-proto") === "https" ? "https" : "http";
  return `curl ${protocol}://${address}/v1/chat/completions \\
  -H "Authorization: Bearer $SLUICE_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "MODEL", "messages": [{"role": "user", "content": "Hello"}]}'`;
}
