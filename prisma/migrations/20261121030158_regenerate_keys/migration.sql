-- AlterTable
ALTER TABLE "TeamMember" ADD COLUMN     "maxBudget" DOUBLE PRECISION,
ADD COLUMN     "rpmLimit" BIGINT,
ADD COLUMN     "tpmLimit" BIGINT;

-- CreateTable
CREATE TABLE "FormerToken" (
    "token" TEXT NOT NULL,
    "keyToken" TEXT NOT NULL,
    "validUntil" TIMESTAMP(3),
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "FormerToken_pkey" PRIMARY KEY ("token")
);

-- CreateIndex
CREATE INDEX "FormerToken_keyToken_idx" ON "FormerToken"("keyToken");

-- AddForeignKey
ALTER TABLE "FormerToken" ADD CONSTRAINT "FormerToken_keyToken_fkey" FOREIGN KEY ("keyToken") REFERENCES "Key"("token") ON DELETE CASCADE ON UPDATE CASCADE;
