/** What stands where content was. LiteLLM's clients compare it literally. */
export const redactedText = "redacted-by-litellm";
