-- The queue of records that all gateways on this database share; src/logging/queue/database.ts is the only user. It is
-- not in schema.prisma: it needs partial indexes and storage settings, and the delivery thread has no Prisma.
CREATE SEQUENCE "queue_content_id" INCREMENT BY 4096;
CREATE SEQUENCE "queue_lease_id" CACHE 64;

-- One distinct redaction result. What is sealed cannot be compressed; up to a page it stays beside its row, because
-- writing it elsewhere costs more. Rows live until their last delivery, so most of the table is dead all the time.
CREATE TABLE "queue_content" (
  "content_id" BIGINT PRIMARY KEY,
  "number" INTEGER NOT NULL,
  "shared" BOOLEAN NOT NULL,
  "sealed" BYTEA NOT NULL
) WITH (
  toast_tuple_target = 8160,
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_vacuum_cost_delay = 0,
  toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000,
  toast.autovacuum_vacuum_cost_delay = 0
);
ALTER TABLE "queue_content" ALTER COLUMN "sealed" SET STORAGE EXTERNAL;

-- A delivery without its content. "state": 0 pending, 1 delivered, 2 dead, 3 suppressed. "call_id" is null where it
-- equals "record_id". A lease holds until "lease_until_ms"; its number ends with every settlement.
CREATE TABLE "queue_delivery" (
  "id" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "content_id" BIGINT,
  "due_at_ms" BIGINT NOT NULL,
  "created_at_ms" BIGINT NOT NULL,
  "age_from_ms" BIGINT NOT NULL,
  "settled_at_ms" BIGINT,
  "lease_id" BIGINT NOT NULL DEFAULT 0,
  "lease_until_ms" BIGINT NOT NULL DEFAULT 0,
  "bytes" INTEGER NOT NULL,
  "tries" INTEGER NOT NULL,
  "status" INTEGER,
  "state" SMALLINT NOT NULL,
  "record_id" TEXT COLLATE "C" NOT NULL,
  "callback_id" TEXT COLLATE "C" NOT NULL,
  "call_id" TEXT COLLATE "C",
  "team_id" TEXT COLLATE "C",
  "key_hash" TEXT COLLATE "C",
  "lease_owner" TEXT COLLATE "C",
  "message" TEXT
) WITH (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE UNIQUE INDEX "queue_delivery_identity" ON "queue_delivery" ("record_id", "callback_id");
CREATE INDEX "queue_delivery_call" ON "queue_delivery" ("call_id") WHERE "call_id" IS NOT NULL;
CREATE INDEX "queue_delivery_pending" ON "queue_delivery" ("callback_id", "due_at_ms", "id") WHERE "state" = 0;
CREATE INDEX "queue_delivery_settled" ON "queue_delivery" ("state", "settled_at_ms") WHERE "state" <> 0;
CREATE INDEX "queue_delivery_team" ON "queue_delivery" ("team_id", "id") WHERE "team_id" IS NOT NULL;

-- How many deliveries of a callback are in each state: the sum over its slots, which only spread the writers.
CREATE TABLE "queue_count" (
  "callback_id" TEXT COLLATE "C" NOT NULL,
  "slot" INTEGER NOT NULL,
  "pending" BIGINT NOT NULL DEFAULT 0,
  "delivered" BIGINT NOT NULL DEFAULT 0,
  "dead" BIGINT NOT NULL DEFAULT 0,
  "suppressed" BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY ("callback_id", "slot")
) WITH (
  fillfactor = 40,
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);
