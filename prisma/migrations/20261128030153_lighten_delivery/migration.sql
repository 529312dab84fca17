-- DropForeignKey
ALTER TABLE "delivery" DROP CONSTRAINT "delivery_stream_id_fkey";

-- DropIndex
DROP INDEX "delivery_created_at_idx";

-- DropIndex
DROP INDEX "delivery_merchant_id_created_at_idx";

-- Every question to this table names its stream. With eight indexes instead of five an insertion took a third longer,
-- and each delivery is written twice.
DROP INDEX "delivery_due_idx";
