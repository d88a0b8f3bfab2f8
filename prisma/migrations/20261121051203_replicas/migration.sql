-- CreateTable
CREATE TABLE "PolicyChange" (
    "version" BIGSERIAL NOT NULL,
    "subject" TEXT NOT NULL,
    "subjectId" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "PolicyChange_pkey" PRIMARY KEY ("version")
);

-- CreateTable
CREATE TABLE "Replica" (
    "id" TEXT NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "heartbeatAt" TIMESTAMPTZ(3) NOT NULL,
    "appliedVersion" BIGINT NOT NULL,

    CONSTRAINT "Replica_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "LoggingDisable" (
    "id" TEXT NOT NULL,
    "teamId" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "changedBy" TEXT,
    "requestedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "effectiveAt" TIMESTAMPTZ(3),
    "enabledAt" TIMESTAMPTZ(3),
    "callsNotLogged" BIGINT NOT NULL DEFAULT 0,
    "lapsedReplicas" TEXT[],

    CONSTRAINT "LoggingDisable_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "LoggingDisableConfirmation" (
    "disableId" TEXT NOT NULL,
    "replicaId" TEXT NOT NULL,
    "confirmedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "removed" INTEGER NOT NULL,
    "canary" TEXT NOT NULL,

    CONSTRAINT "LoggingDisableConfirmation_pkey" PRIMARY KEY ("disableId","replicaId")
);

-- CreateIndex
CREATE INDEX "PolicyChange_createdAt_idx" ON "PolicyChange"("createdAt");

-- CreateIndex
CREATE INDEX "LoggingDisable_teamId_requestedAt_idx" ON "LoggingDisable"("teamId", "requestedAt");

-- AddForeignKey
ALTER TABLE "LoggingDisableConfirmation" ADD CONSTRAINT "LoggingDisableConfirmation_disableId_fkey" FOREIGN KEY ("disableId") REFERENCES "LoggingDisable"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Every committed change of keys, teams, callbacks, members and users is a row of "PolicyChange", whoever made it. The
-- triggers run at the commit, and one transaction after the other, so that the versions are in the order of the commits:
-- who has seen one has seen all before it. Arguments are pairs: a subject, and the column with its id.
CREATE FUNCTION sluice_note_policy_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}'::jsonb ELSE to_jsonb(OLD) END;
  new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}'::jsonb ELSE to_jsonb(NEW) END;
BEGIN
  PERFORM pg_advisory_xact_lock(72153002);
  FOR i IN 0 .. TG_NARGS - 2 BY 2 LOOP
    INSERT INTO "PolicyChange" ("subject", "subjectId")
      SELECT DISTINCT TG_ARGV[i], id
      FROM (VALUES (old_row ->> TG_ARGV[i + 1]), (new_row ->> TG_ARGV[i + 1])) AS touched (id)
      WHERE id IS NOT NULL;
  END LOOP;
  IF TG_TABLE_NAME = 'Callback' AND TG_OP = 'DELETE' THEN
    INSERT INTO "PolicyChange" ("subject", "subjectId") VALUES ('callback_deleted', old_row ->> 'id');
  END IF;
  IF TG_TABLE_NAME = 'Team' AND old_row ->> 'loggingState' IS DISTINCT FROM 'disabled'
    AND (TG_OP = 'DELETE' OR new_row ->> 'loggingState' = 'disabled') THEN
    INSERT INTO "PolicyChange" ("subject", "subjectId")
      VALUES ('team_disabled', coalesce(new_row ->> 'id', old_row ->> 'id'));
  END IF;
  PERFORM pg_notify('sluice_policy', '');
  RETURN NULL;
END $$;

-- Spending is not policy: it changes with every call.
CREATE CONSTRAINT TRIGGER "Key_policy_change" AFTER INSERT OR DELETE ON "Key"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION sluice_note_policy_change('key', 'token');
CREATE CONSTRAINT TRIGGER "Key_policy_update" AFTER UPDATE ON "Key"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (to_jsonb(OLD) - ARRAY['spend', 'updatedAt'] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['spend', 'updatedAt'])
  EXECUTE FUNCTION sluice_note_policy_change('key', 'token');

CREATE CONSTRAINT TRIGGER "Team_policy_change" AFTER INSERT OR DELETE ON "Team"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION sluice_note_policy_change('team', 'id');
CREATE CONSTRAINT TRIGGER "Team_policy_update" AFTER UPDATE ON "Team"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (to_jsonb(OLD) - ARRAY['spend', 'updatedAt'] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['spend', 'updatedAt'])
  EXECUTE FUNCTION sluice_note_policy_change('team', 'id');

CREATE CONSTRAINT TRIGGER "FormerToken_policy_change" AFTER INSERT OR UPDATE OR DELETE ON "FormerToken"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION sluice_note_policy_change('key', 'token', 'key', 'keyToken');
CREATE CONSTRAINT TRIGGER "Callback_policy_change" AFTER INSERT OR UPDATE OR DELETE ON "Callback"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION sluice_note_policy_change('callback', 'id', 'team', 'teamId', 'key', 'keyToken');
CREATE CONSTRAINT TRIGGER "TeamMember_policy_change" AFTER INSERT OR UPDATE OR DELETE ON "TeamMember"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION sluice_note_policy_change('team', 'teamId', 'user', 'userId');
CREATE CONSTRAINT TRIGGER "User_policy_change" AFTER INSERT OR DELETE ON "User"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION sluice_note_policy_change('user', 'id');
CREATE CONSTRAINT TRIGGER "User_policy_update" AFTER UPDATE ON "User"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (to_jsonb(OLD) - ARRAY['spend', 'updatedAt'] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['spend', 'updatedAt'])
  EXECUTE FUNCTION sluice_note_policy_change('user', 'id');

-- There is always a newest change, so that a follower can tell whether one is missing.
INSERT INTO "PolicyChange" ("subject", "subjectId") VALUES ('start', '');
