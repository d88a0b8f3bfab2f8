import type { LoadedConfig } from "#lib/config.ts";
import { newSecret, type DataDir } from "#lib/data-dir.ts";
import type { Settings } from "#lib/env.ts";
import { AppError } from "#lib/errors.ts";
import { newVirtualKey } from "#lib/id.ts";
import { splitMasterKeys } from "#lib/master-key.ts";

/** The secrets that a process runs on. */
export type Secrets = {
  /** The first one is current; another one is valid while keys are rotated. */
  masterKeys: string[];
  isMasterKeyNew: boolean;
  /** The first one seals and signs; all of them open. */
  encryptionKeys: string[];
  isEncryptionKeyNew: boolean;
  /** Names the setting or the file of the encryption keys, for messages: the start of a sentence. */
  encryptionKeyFrom: string;
  /** Writes what was generated just now to the data directory. */
  keep(): void;
};

/** The PostgreSQL of this process; null: the embedded one. */
export function databaseUrl(settings: Settings, { config }: LoadedConfig): string | null {
  return settings.databaseUrl ?? config.general_settings.database_url ?? null;
}

/**
 * Master keys and encryption keys: given, or with the embedded database kept in the data directory. A missing one is
 * generated, and lost unless `keep` is called. Throws an `AppError` if one is missing beside PostgreSQL, or unusable.
 */
export function readSecrets(settings: Settings, loaded: LoadedConfig, dataDir: Pick<DataDir, "secret">): Secrets {
  const masterKey = settings.masterKey ?? loaded.config.general_settings.master_key ?? null;
  if (databaseUrl(settings, loaded) !== null) assertGiven(masterKey, settings);
  const ownMasterKey = masterKey === null ? dataDir.secret("master-key", newVirtualKey) : null;
  const ownKey = settings.encryptionKeys.length === 0 ? dataDir.secret("encryption-key", newSecret) : null;
  return {
    masterKeys: masterKey === null ? [ownMasterKey?.value ?? ""] : splitMasterKeys(masterKey),
    isMasterKeyNew: ownMasterKey?.isNew ?? false,
    encryptionKeys: ownKey === null ? settings.encryptionKeys : [ownKey.value],
    isEncryptionKeyNew: ownKey?.isNew ?? false,
    encryptionKeyFrom: ownKey === null ? settings.encryptionKeyName : `The key file ${ownKey.file}`,
    keep() {
      ownMasterKey?.keep();
      ownKey?.keep();
    },
  };
}

function assertGiven(masterKey: string | null, { encryptionKeys }: Settings): void {
  const missing = [
    ...(masterKey === null ? ["SLUICE_MASTER_KEY is missing. Fix: set it to a secret text that starts with sk-."] : []),
    ...(encryptionKeys.length === 0
      ? ["SLUICE_ENCRYPTION_KEY is missing. Fix: set it to 32 random characters, and keep it: stored secrets need it."]
      : []),
  ];
  if (missing.length > 0) throw new AppError("bad_request", missing.join("\n"));
}
