-- AlterTable
ALTER TABLE "TeamMember" ADD COLUMN     "spend" DOUBLE PRECISION NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "SpendBatch" (
    "id" TEXT NOT NULL,
    "appliedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "SpendBatch_pkey" PRIMARY KEY ("id")
);
