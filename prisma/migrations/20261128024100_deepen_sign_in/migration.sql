-- AlterTable
ALTER TABLE "merchant_membership" ADD COLUMN     "from_groups" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "platform_role" ADD COLUMN     "from_groups" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "sign_in" ADD COLUMN     "counter" BIGINT,
ADD COLUMN     "name" TEXT;

-- By hand: windows of a quarter of an hour, begun before this migration, have no end to be given.
DELETE FROM "sign_in_throttle";

-- AlterTable
ALTER TABLE "sign_in_throttle" DROP COLUMN "window_started_at",
ADD COLUMN     "ends_at" TIMESTAMPTZ(3) NOT NULL;

-- CreateTable
CREATE TABLE "recovery_code" (
    "person_id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "recovery_code_pkey" PRIMARY KEY ("person_id","hash")
);

-- CreateTable
CREATE TABLE "spent_step" (
    "hash" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "spent_step_pkey" PRIMARY KEY ("hash")
);

-- CreateIndex
CREATE INDEX "spent_step_expires_at_idx" ON "spent_step"("expires_at");

-- AddForeignKey
ALTER TABLE "recovery_code" ADD CONSTRAINT "recovery_code_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "person"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- ---------------------------------------------------------------------------------------------------------------
-- By hand: what a Prisma schema cannot say. test/architecture/pg-catalog.snapshot.txt guards it.
-- ---------------------------------------------------------------------------------------------------------------

ALTER TABLE "sign_in" ADD CONSTRAINT "sign_in_kind_check" CHECK ("kind" IN ('password', 'totp', 'passkey', 'oidc'));
