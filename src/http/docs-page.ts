/** The page of the interface's description. Its addresses are relative, so it also works below a path of a proxy. */
export const docsPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Sluice: REST interface</title>
    <link rel="icon" href="docs/favicon-32x32.png" type="image/png">
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="stylesheet" href="docs/page.css">
    <script src="docs/swagger-ui-bundle.js" defer></script>
    <script src="docs/start.js" defer></script>
  </head>
  <body>
    <main id="description">
      <noscript><p>This page needs scripts. The description itself is <a href="openapi.json">openapi.json</a>.</p></noscript>
    </main>
  </body>
</html>
`;

/** What the page looks like around Swagger UI. */
export const docsStyle = `html { box-sizing: border-box; }
*, *::before, *::after { box-sizing: inherit; }
body { margin: 0; }
html.dark-mode body { background: #1c2022; }
noscript p { font-family: sans-serif; margin: 2rem; }
`;

/** Starts Swagger UI on our own description, in the colours that the visitor's system asks for. */
export const docsScript = `const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();
SwaggerUIBundle({
  url: "openapi.json",
  domNode: document.getElementById("description"),
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  // Nobody else is asked whether the description is valid.
  validatorUrl: null,
});
`;

/** Everything comes from here, nothing inline runs, and nobody frames the page. */
export const docsHeaders = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;
