-- AlterTable
ALTER TABLE "TeamMember" ADD COLUMN     "budgetResetAt" TIMESTAMP(3);

-- CreateTable
CREATE TABLE "ModelSpend" (
    "scope" TEXT NOT NULL,
    "ownerId" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "spend" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "budgetResetAt" TIMESTAMP(3),

    CONSTRAINT "ModelSpend_pkey" PRIMARY KEY ("scope","ownerId","model")
);

-- Spending is not policy: what a member's calls cost changes with every call.
DROP TRIGGER "TeamMember_policy_change" ON "TeamMember";
CREATE CONSTRAINT TRIGGER "TeamMember_policy_change" AFTER INSERT OR DELETE ON "TeamMember"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION sluice_note_policy_change('team', 'teamId', 'user', 'userId');
CREATE CONSTRAINT TRIGGER "TeamMember_policy_update" AFTER UPDATE ON "TeamMember"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (to_jsonb(OLD) - ARRAY['spend', 'budgetResetAt'] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['spend', 'budgetResetAt'])
  EXECUTE FUNCTION sluice_note_policy_change('team', 'teamId', 'user', 'userId');
