-- CreateTable
CREATE TABLE "UsageDay" (
    "day" DATE NOT NULL,
    "teamId" TEXT NOT NULL,
    "keyToken" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "calls" INTEGER NOT NULL,
    "failures" INTEGER NOT NULL,
    "promptTokens" BIGINT NOT NULL,
    "completionTokens" BIGINT NOT NULL,
    "usd" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "UsageDay_pkey" PRIMARY KEY ("teamId","day","keyToken","model")
);

-- CreateIndex
CREATE INDEX "UsageDay_day_idx" ON "UsageDay"("day");
