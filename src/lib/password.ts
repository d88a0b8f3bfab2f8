import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** scrypt with 32 MB of memory: about 60 ms on one core. */
const cost = { N: 32_768, r: 8, p: 1 };
const keyBytes = 32;
const saltBytes = 16;

/** The least length of a password. */
export const passwordLengthMin = 10;

/** What is stored of a password: parameters, salt and scrypt hash, separated by `$`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(password, salt, cost);
  return ["scrypt", cost.N, cost.r, cost.p, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

/**
 * Whether this is the password behind a stored hash. Without a stored hash it takes as long and says no, so that time
 * does not tell whether somebody has an account.
 */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [kind, N, r, p, salt, hash] = stored?.split("$") ?? [];
  if (kind !== "scrypt" || !salt || !hash) {
    await derive(password, Buffer.alloc(saltBytes), cost);
    return false;
  }
  const expected = Buffer.from(hash, "base64url");
  const parameters = { N: Number(N), r: Number(r), p: Number(p) };
  const actual = await derive(password, Buffer.from(salt, "base64url"), parameters);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function derive(password: string, salt: Buffer, { N, r, p }: typeof cost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { N, r, p, maxmem: 256 * N * r };
    scrypt(password.normalize("NFKC"), salt, keyBytes, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}
