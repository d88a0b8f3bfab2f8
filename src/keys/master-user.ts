/** The user that LiteLLM makes the holder of the master key. No virtual key acts as him, whatever its row says. */
export const masterUserId = "default_user_id";
