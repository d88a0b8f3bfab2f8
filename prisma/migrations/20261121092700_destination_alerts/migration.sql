-- CreateTable
CREATE TABLE "DestinationAlert" (
    "callbackId" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "seenAt" TIMESTAMPTZ(3) NOT NULL,
    "untoldDead" INTEGER NOT NULL DEFAULT 0,
    "deadToldAt" TIMESTAMPTZ(3),

    CONSTRAINT "DestinationAlert_pkey" PRIMARY KEY ("callbackId")
);

-- CreateTable
CREATE TABLE "AlertMessage" (
    "id" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "receiver" TEXT NOT NULL,
    "event" JSONB NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "dueAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "AlertMessage_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "AlertMessage_dueAt_idx" ON "AlertMessage"("dueAt");
