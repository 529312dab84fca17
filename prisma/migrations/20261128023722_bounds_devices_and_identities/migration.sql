-- AlterTable
ALTER TABLE "oauth_grant" ADD COLUMN     "credential_id" TEXT,
ADD COLUMN     "end_reason" TEXT,
ADD COLUMN     "person_id" TEXT;

-- AlterTable
ALTER TABLE "oauth_token" ADD COLUMN     "poll_interval_ms" INTEGER,
ADD COLUMN     "polled_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "order" ADD COLUMN     "refunded_amount" BIGINT NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "bound_use" (
    "merchant_id" TEXT NOT NULL,
    "installation_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "used" BIGINT NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "bound_use_pkey" PRIMARY KEY ("merchant_id","installation_id","key")
);

-- CreateTable
CREATE TABLE "user_code_attempt" (
    "key" TEXT NOT NULL,
    "failures" INTEGER NOT NULL,
    "window_started_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "user_code_attempt_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE INDEX "bound_use_expires_at_idx" ON "bound_use"("expires_at");

-- AddCheck
ALTER TABLE "order" ADD CONSTRAINT "order_refunded_amount_check" CHECK ("refunded_amount" BETWEEN 0 AND "total_amount");
ALTER TABLE "bound_use" ADD CONSTRAINT "bound_use_used_check" CHECK ("used" >= 0);
ALTER TABLE "oauth_token" DROP CONSTRAINT "oauth_token_kind_check";
ALTER TABLE "oauth_token" ADD CONSTRAINT "oauth_token_kind_check" CHECK ("kind" IN ('AccessToken', 'ClientCredentials', 'RefreshToken', 'AuthorizationCode', 'DeviceCode', 'SessionToken'));
ALTER TABLE "oauth_grant" ADD CONSTRAINT "oauth_grant_end_reason_check" CHECK ("end_reason" IN ('revoked', 'reused', 'uninstalled'));
