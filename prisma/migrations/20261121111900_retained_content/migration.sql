-- Contents that were delivered and are kept for a while (retention.content_hours), by the age of their calls. Where none
-- are kept, nothing is in it.
CREATE INDEX "queue_delivery_retained" ON "queue_delivery" ("created_at_ms") WHERE "state" = 1 AND "content_id" IS NOT NULL;
