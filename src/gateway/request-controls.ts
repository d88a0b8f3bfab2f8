import type { Caller } from "#keys/caller.ts";
import type { JsonObject } from "#logging/record.ts";
import type { RequestControls } from "#logging/log-plan.ts";
import { levelOfTurnOff } from "#logging/redaction-level.ts";
import { readRequestCredentials } from "#gateway/request-credentials.ts";
import { splitList } from "#gateway/request-metadata.ts";

/**
 * What a request says about its own log. Header texts `false`, `0` and empty count as absent; lifting redaction is only
 * heard where key, team or config.yaml allow it.
 */
export function readControls(body: JsonObject, headers: Headers, caller: Caller): RequestControls {
  const disabled = splitList(headers.get("x-litellm-disable-callbacks")).map((name) => name.toLowerCase());
  const level = levelOfTurnOff(body.turn_off_message_logging);
  const enabled =
    isOn(headers.get("x-litellm-enable-message-redaction")) || isOn(headers.get("litellm-enable-message-redaction"));
  const lifted = isOn(headers.get("litellm-disable-message-redaction")) || level === "off";
  return {
    noLog: body["no-log"] === true,
    // A header adds to what the key switches off; it never switches a callback on again.
    disabledCallbacks: [...disabled, ...caller.disabledCallbacks],
    redact: enabled || level === "content",
    liftRedaction: lifted && caller.mayOptOutOfRedaction,
    // Read only where they can have an effect.
    credentials: caller.logging.level === "global" ? readRequestCredentials(body, headers) : null,
  };
}

function isOn(value: string | null): boolean {
  const text = value?.trim().toLowerCase() ?? "";
  return text !== "" && text !== "false" && text !== "0";
}
