-- The dead letters of a team, the newest first. They are few, and so is what is in it.
CREATE INDEX "queue_delivery_dead" ON "queue_delivery" ("team_id", "id") WHERE "state" = 2;
