import type { ContentClass } from "#logging/content-class.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";
import { redactFunction, redactToolCall, roles } from "#logging/redact-response.ts";
import { redactedText } from "#logging/redacted-text.ts";

/** The classes that a message can hold. */
export const inMessages: readonly ContentClass[] = [
  "messages",
  "system_prompt",
  "tool_arguments",
  "tool_results",
  "reasoning",
  "refusals",
  "images",
  "audio",
  "file_names",
];

/** Fields of a message that belong to one class alone. */
const fieldClasses: Readonly<Record<string, ContentClass>> = {
  reasoning_content: "reasoning",
  reasoning: "reasoning",
  reasoning_details: "reasoning",
  thinking_blocks: "reasoning",
  refusal: "refusals",
  audio: "audio",
  images: "images",
};

/** Parts of a message's content that belong to one class alone. */
const partClasses: Readonly<Record<string, ContentClass>> = {
  tool_use: "tool_arguments",
  function_call: "tool_arguments",
  tool_result: "tool_results",
  function_call_output: "tool_results",
  thinking: "reasoning",
  redacted_thinking: "reasoning",
  reasoning: "reasoning",
  refusal: "refusals",
  image: "images",
  image_url: "images",
  input_image: "images",
  audio: "audio",
  input_audio: "audio",
  file: "file_names",
  input_file: "file_names",
  document: "file_names",
};

/** Other fields that go with the message's text; what is not named here could hold any class. */
const textFields: readonly string[] = ["name", "annotations"];

const textParts: readonly string[] = ["text", "input_text", "output_text"];

/** A message, of a request or of an answer, without the chosen classes. Role, tool names and ids stay. */
export function redactMessage(message: Json, classes: ReadonlySet<ContentClass>): Json {
  if (!inMessages.some((name) => classes.has(name))) return stripAddresses(message, classes);
  if (!isJsonObject(message)) return { role: "user", content: redactedText };
  const own = contentClass(message.role);
  const isHidden = classes.has(own);
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(message)) {
    const fieldClass = Object.hasOwn(fieldClasses, name) ? fieldClasses[name] : undefined;
    if (name === "role") kept.role = typeof value === "string" && roles.includes(value) ? value : "user";
    else if (name === "content") kept.content = isHidden ? hide(value) : redactParts(value, own, classes);
    else if (name === "tool_calls") kept.tool_calls = redactCalls(value, classes);
    else if (name === "function_call") kept.function_call = redactCall(value, classes);
    else if (name === "tool_call_id") kept.tool_call_id = typeof value === "string" ? value : null;
    else if (fieldClass !== undefined) kept[name] = classes.has(fieldClass) ? hide(value) : value;
    else if (!isHidden && textFields.includes(name)) kept[name] = value;
  }
  return stripAddresses(kept, classes);
}

/** Whose words the content of a message is. */
function contentClass(role: Json | undefined): ContentClass {
  if (role === "system" || role === "developer") return "system_prompt";
  if (role === "tool" || role === "function") return "tool_results";
  return "messages";
}

function redactParts(content: Json, own: ContentClass, classes: ReadonlySet<ContentClass>): Json {
  if (typeof content === "string" || content === null) return content;
  if (!Array.isArray(content)) return redactedText;
  return content.map((part) => {
    if (typeof part === "string") return part;
    const type = isJsonObject(part) && typeof part.type === "string" ? part.type : "";
    if (textParts.includes(type)) return part;
    const known = Object.hasOwn(partClasses, type) ? partClasses[type] : undefined;
    if (known === undefined || classes.has(known))
      return { type: known === undefined ? "text" : type, text: redactedText };
    return known === "tool_results" && isJsonObject(part) && part.content !== undefined
      ? { ...part, content: redactParts(part.content, own, classes) }
      : part;
  });
}

function redactCalls(calls: Json, classes: ReadonlySet<ContentClass>): Json {
  if (!classes.has("tool_arguments")) return calls;
  return Array.isArray(calls) ? calls.map(redactToolCall) : null;
}

function redactCall(call: Json, classes: ReadonlySet<ContentClass>): Json {
  if (!classes.has("tool_arguments")) return call;
  return isJsonObject(call) ? redactFunction(call) : null;
}

/** An absent text stays absent: the marker would say that there was one. */
function hide(value: Json): Json {
  if (value === null) return null;
  return typeof value === "object" && !Array.isArray(value) ? null : redactedText;
}

/** Addresses in the parts of a message, without query and fragment, where `url_parameters` go. */
function stripAddresses(value: Json, classes: ReadonlySet<ContentClass>): Json {
  if (!classes.has("url_parameters")) return value;
  if (Array.isArray(value)) return value.map((item) => stripAddresses(item, classes));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const isAddress = typeof item === "string" && /url$|^uri$/i.test(name) && /^https?:/i.test(item);
      return [name, isAddress ? item.replace(/[?#].*$/s, "") : stripAddresses(item, classes)];
    }),
  );
}
