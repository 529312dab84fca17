-- DropForeignKey
ALTER TABLE "delivery" DROP CONSTRAINT "delivery_body_hash_fkey";

-- AlterTable
ALTER TABLE "attempt" ADD COLUMN     "replay_id" TEXT;

-- AlterTable
ALTER TABLE "endpoint" ADD COLUMN     "paused_at" TIMESTAMPTZ(3),
ADD COLUMN     "probe_at" TIMESTAMPTZ(3),
ADD COLUMN     "probe_failures" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "endpoint_secret" ADD COLUMN     "public_jwk" JSONB;

-- AlterTable
ALTER TABLE "event" ALTER COLUMN "data" DROP NOT NULL;

-- CreateTable
CREATE TABLE "replay" (
    "id" TEXT NOT NULL,
    "publisher_id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "stream_id" TEXT NOT NULL,
    "filter" JSONB NOT NULL,
    "rate_per_second" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "total" INTEGER NOT NULL,
    "cursor" BIGINT NOT NULL DEFAULT 0,
    "until_sequence" BIGINT NOT NULL,
    "delivered" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "skipped" INTEGER NOT NULL DEFAULT 0,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "lease_owner" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "lease_epoch" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "replay_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "event_created_at_idx" ON "event" USING BRIN ("created_at");

-- CreateIndex
CREATE INDEX "delivery_created_at_idx" ON "delivery" USING BRIN ("created_at");

-- CreateIndex
CREATE INDEX "replay_publisher_id_app_id_created_at_idx" ON "replay"("publisher_id", "app_id", "created_at");

-- CreateIndex
CREATE INDEX "attempt_stream_id_started_at_idx" ON "attempt"("stream_id", "started_at");

-- ---------------------------------------------------------------------------------------------------------------
-- By hand: what a Prisma schema cannot say. test/architecture/pg-catalog.snapshot.txt guards it.
-- ---------------------------------------------------------------------------------------------------------------

-- FIFO takes the open deliveries of a stream in their order.
CREATE INDEX "delivery_stream_open_idx" ON "delivery"("stream_id", "sequence") WHERE "state" IN ('pending', 'waiting');
CREATE INDEX "endpoint_probe_idx" ON "endpoint"("probe_at") WHERE "state" = 'paused';
CREATE INDEX "replay_running_idx" ON "replay"("created_at") WHERE "state" = 'running';

ALTER TABLE "delivery" DROP CONSTRAINT "delivery_state_check";
ALTER TABLE "delivery" ADD CONSTRAINT "delivery_state_check" CHECK ("state" IN ('pending', 'waiting', 'delivered', 'exhausted', 'parked', 'cancelled'));
ALTER TABLE "endpoint" DROP CONSTRAINT "endpoint_state_check";
ALTER TABLE "endpoint" ADD CONSTRAINT "endpoint_state_check" CHECK ("state" IN ('unverified', 'active', 'paused', 'stopped'));
ALTER TABLE "replay" ADD CONSTRAINT "replay_state_check" CHECK ("state" IN ('running', 'done', 'cancelled'));
