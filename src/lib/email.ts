import { z } from "zod";

/** One plain mailbox: no quotes, lists, display names, comments or control characters. */
const mailbox = /^[a-z0-9.!#$%&*+/=?^_{|}~-]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;

/**
 * An e-mail address in the one spelling under which it is stored, compared and written to: lower case, without
 * characters that only look like others (a full-width at sign).
 */
export const Email = z
  .string()
  .max(254)
  .transform((text) => text.trim().toLowerCase())
  .refine((text) => mailbox.test(text), "Value error, not one plain e-mail address");
