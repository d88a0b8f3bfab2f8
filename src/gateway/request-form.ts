import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";

/**
 * The fields of a form as a JSON object, for checks and for the log: a file is its name, kind and length, a field that
 * comes more than once is a list, and texts that are numbers or true and false stay texts.
 */
export function toFormBody(form: FormData): JsonObject {
  const body: JsonObject = {};
  for (const [name, value] of form) {
    if (name === "__proto__") continue;
    const shown: Json = typeof value === "string" ? value : toFile(value);
    const known = body[name];
    if (known === undefined) body[name] = shown;
    else body[name] = Array.isArray(known) ? [...known, shown] : [known, shown];
  }
  if (body.stream === "true") body.stream = true;
  return body;
}

/** The form as the upstream gets it: without the gateway's own fields, under the upstream's model name. */
export function toUpstreamForm(form: FormData, body: Readonly<JsonObject>): FormData {
  const upstream = new FormData();
  upstream.append("model", typeof body.model === "string" ? body.model : "");
  for (const [name, value] of form) {
    if (name === "model" || !Object.hasOwn(body, name)) continue;
    if (typeof value === "string") upstream.append(name, value);
    else upstream.append(name, value, value.name);
  }
  for (const [name, value] of Object.entries(body)) {
    if (name !== "model" && !form.has(name) && typeof value !== "object") upstream.append(name, String(value));
  }
  return upstream;
}

/** The files of a form's body as parts of a message. */
export function describeFiles(body: Readonly<JsonObject>): Json[] {
  return Object.values(body)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isFile)
    .map((file) => ({ type: "file", file }));
}

function toFile(file: File): JsonObject {
  return { filename: file.name, content_type: file.type, bytes: file.size };
}

function isFile(value: Json): value is JsonObject {
  return isJsonObject(value) && typeof value.filename === "string" && typeof value.bytes === "number";
}
