-- CreateTable
CREATE TABLE "SpendReservation" (
    "id" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "scopeId" TEXT NOT NULL,
    "usd" DOUBLE PRECISION NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "SpendReservation_pkey" PRIMARY KEY ("id","scope")
);

-- CreateIndex
CREATE INDEX "SpendReservation_scope_scopeId_idx" ON "SpendReservation"("scope", "scopeId");
