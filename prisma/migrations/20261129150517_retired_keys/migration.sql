-- CreateTable
CREATE TABLE "RetiredKey" (
    "token" TEXT NOT NULL,
    "teamId" TEXT,
    "loggingState" "LoggingState" NOT NULL,
    "redaction" TEXT,
    "disabledCallbacks" TEXT[],
    "retiredAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "RetiredKey_pkey" PRIMARY KEY ("token")
);

-- A key leaves its hash, and those that it had before it was regenerated, whoever deletes it.
CREATE FUNCTION sluice_retire_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "RetiredKey" ("token", "teamId", "loggingState", "redaction", "disabledCallbacks")
    SELECT hashes.token, OLD."teamId", OLD."loggingState", OLD."redaction", sluice_disabled_callbacks(OLD."metadata")
    FROM (SELECT OLD."token" AS token UNION SELECT "token" FROM "FormerToken" WHERE "keyToken" = OLD."token") AS hashes
    ON CONFLICT ("token") DO UPDATE SET
      "teamId" = EXCLUDED."teamId",
      "loggingState" = EXCLUDED."loggingState",
      "redaction" = EXCLUDED."redaction",
      "disabledCallbacks" = EXCLUDED."disabledCallbacks",
      "retiredAt" = EXCLUDED."retiredAt";
  RETURN OLD;
END $$;

CREATE FUNCTION sluice_disabled_callbacks(metadata jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN jsonb_typeof(metadata -> 'litellm_disabled_callbacks') = 'array'
    THEN ARRAY(SELECT jsonb_array_elements_text(metadata -> 'litellm_disabled_callbacks'))
    ELSE ARRAY[]::text[] END
$$;

CREATE TRIGGER "Key_retire" BEFORE DELETE ON "Key" FOR EACH ROW EXECUTE FUNCTION sluice_retire_key();

-- Keys that were deleted before stand in the audit trail, each with its last row.
INSERT INTO "RetiredKey" ("token", "teamId", "loggingState", "redaction", "disabledCallbacks", "retiredAt")
  SELECT DISTINCT ON (before ->> 'token')
    before ->> 'token',
    before ->> 'team_id',
    (CASE
      WHEN before -> 'metadata' -> 'logging' IS NULL THEN 'unset'
      WHEN before -> 'metadata' -> 'logging' = '[]'::jsonb THEN 'disabled'
      ELSE 'own'
    END)::"LoggingState",
    before ->> 'redaction',
    sluice_disabled_callbacks(before -> 'metadata'),
    "createdAt"
  FROM "AuditEntry"
  WHERE "objectType" = 'key' AND "action" IN ('delete', 'regenerate')
    AND before ->> 'token' IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM "Key" WHERE "token" = before ->> 'token')
    AND NOT EXISTS (SELECT 1 FROM "FormerToken" WHERE "token" = before ->> 'token')
  ORDER BY before ->> 'token', "createdAt" DESC
  ON CONFLICT ("token") DO NOTHING;
