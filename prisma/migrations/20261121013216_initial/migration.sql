-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "LoggingState" AS ENUM ('unset', 'own', 'disabled');

-- CreateTable
CREATE TABLE "User" (
    "id" TEXT NOT NULL,
    "email" TEXT,
    "alias" TEXT,
    "role" TEXT NOT NULL DEFAULT 'internal_user',
    "passwordHash" TEXT,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Team" (
    "id" TEXT NOT NULL,
    "alias" TEXT,
    "organizationId" TEXT,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "models" TEXT[],
    "modelAliases" JSONB NOT NULL DEFAULT '{}',
    "blocked" BOOLEAN NOT NULL DEFAULT false,
    "loggingState" "LoggingState" NOT NULL DEFAULT 'unset',
    "redaction" TEXT,
    "spend" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "maxBudget" DOUBLE PRECISION,
    "softBudget" DOUBLE PRECISION,
    "budgetDuration" TEXT,
    "budgetResetAt" TIMESTAMP(3),
    "tpmLimit" BIGINT,
    "rpmLimit" BIGINT,
    "maxParallelRequests" INTEGER,
    "extras" JSONB NOT NULL DEFAULT '{}',
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Team_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "TeamMember" (
    "teamId" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "userEmail" TEXT,
    "role" TEXT NOT NULL DEFAULT 'user',
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "TeamMember_pkey" PRIMARY KEY ("teamId","userId")
);

-- CreateTable
CREATE TABLE "Key" (
    "token" TEXT NOT NULL,
    "keyName" TEXT NOT NULL,
    "alias" TEXT,
    "teamId" TEXT,
    "teamRowId" TEXT,
    "userId" TEXT,
    "organizationId" TEXT,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "models" TEXT[],
    "modelAliases" JSONB NOT NULL DEFAULT '{}',
    "allowedRoutes" TEXT[],
    "blocked" BOOLEAN,
    "expires" TIMESTAMP(3),
    "loggingState" "LoggingState" NOT NULL DEFAULT 'unset',
    "redaction" TEXT,
    "spend" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "maxBudget" DOUBLE PRECISION,
    "softBudget" DOUBLE PRECISION,
    "budgetDuration" TEXT,
    "budgetResetAt" TIMESTAMP(3),
    "tpmLimit" BIGINT,
    "rpmLimit" BIGINT,
    "maxParallelRequests" INTEGER,
    "extras" JSONB NOT NULL DEFAULT '{}',
    "createdBy" TEXT,
    "updatedBy" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Key_pkey" PRIMARY KEY ("token")
);

-- CreateTable
CREATE TABLE "Callback" (
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "teamId" TEXT,
    "keyToken" TEXT,
    "position" INTEGER NOT NULL,
    "callbackName" TEXT NOT NULL,
    "callbackType" TEXT,
    "callbackVars" JSONB NOT NULL DEFAULT '{}',
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Callback_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AuditEntry" (
    "id" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "changedBy" TEXT,
    "action" TEXT NOT NULL,
    "objectType" TEXT NOT NULL,
    "objectId" TEXT NOT NULL,
    "before" JSONB,
    "after" JSONB,

    CONSTRAINT "AuditEntry_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");

-- CreateIndex
CREATE INDEX "TeamMember_userId_idx" ON "TeamMember"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "Key_alias_key" ON "Key"("alias");

-- CreateIndex
CREATE INDEX "Key_teamId_idx" ON "Key"("teamId");

-- CreateIndex
CREATE INDEX "Key_userId_idx" ON "Key"("userId");

-- CreateIndex
CREATE INDEX "Callback_teamId_idx" ON "Callback"("teamId");

-- CreateIndex
CREATE INDEX "Callback_keyToken_idx" ON "Callback"("keyToken");

-- CreateIndex
CREATE INDEX "AuditEntry_createdAt_idx" ON "AuditEntry"("createdAt");

-- CreateIndex
CREATE INDEX "AuditEntry_objectType_objectId_idx" ON "AuditEntry"("objectType", "objectId");

-- AddForeignKey
ALTER TABLE "TeamMember" ADD CONSTRAINT "TeamMember_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "Team"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Key" ADD CONSTRAINT "Key_teamRowId_fkey" FOREIGN KEY ("teamRowId") REFERENCES "Team"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Callback" ADD CONSTRAINT "Callback_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "Team"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Callback" ADD CONSTRAINT "Callback_keyToken_fkey" FOREIGN KEY ("keyToken") REFERENCES "Key"("token") ON DELETE CASCADE ON UPDATE CASCADE;
