-- AlterTable
ALTER TABLE "app_setting" ADD COLUMN     "require_private_key_jwt" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "signing_key" ADD COLUMN     "signs_from" TIMESTAMPTZ(3);
UPDATE "signing_key" SET "signs_from" = "created_at";
ALTER TABLE "signing_key" ALTER COLUMN "signs_from" SET NOT NULL;

-- CreateTable
CREATE TABLE "oauth_use" (
    "hash" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "oauth_use_pkey" PRIMARY KEY ("hash")
);

-- CreateIndex
CREATE INDEX "oauth_use_expires_at_idx" ON "oauth_use"("expires_at");
