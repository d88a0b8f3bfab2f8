-- AlterTable
ALTER TABLE "User" ADD COLUMN     "budgetDuration" TEXT,
ADD COLUMN     "budgetResetAt" TIMESTAMP(3),
ADD COLUMN     "extras" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "maxBudget" DOUBLE PRECISION,
ADD COLUMN     "maxParallelRequests" INTEGER,
ADD COLUMN     "models" TEXT[],
ADD COLUMN     "rpmLimit" BIGINT,
ADD COLUMN     "softBudget" DOUBLE PRECISION,
ADD COLUMN     "spend" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "tpmLimit" BIGINT;

-- AlterTable
ALTER TABLE "Team" ADD COLUMN     "mustLog" BOOLEAN NOT NULL DEFAULT false;

-- Members of teams that were named by their id are users from now on; the master key's holder is none.
INSERT INTO "User" ("id", "updatedAt")
SELECT DISTINCT "userId", CURRENT_TIMESTAMP FROM "TeamMember" WHERE "userId" <> 'default_user_id'
ON CONFLICT DO NOTHING;
