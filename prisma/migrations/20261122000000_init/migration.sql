-- CreateTable
CREATE TABLE "person" (
    "id" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "email" TEXT,
    "locale" TEXT NOT NULL DEFAULT 'en',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "disabled_at" TIMESTAMPTZ(3),

    CONSTRAINT "person_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sign_in" (
    "id" TEXT NOT NULL,
    "person_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "identifier" TEXT NOT NULL,
    "secret" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "sign_in_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sign_in_throttle" (
    "key" TEXT NOT NULL,
    "failures" INTEGER NOT NULL,
    "window_started_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sign_in_throttle_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "session" (
    "hash" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "person_id" TEXT NOT NULL,
    "user_agent" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "session_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "personal_token" (
    "id" TEXT NOT NULL,
    "person_id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "personal_token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "platform_role" (
    "person_id" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "platform_role_pkey" PRIMARY KEY ("person_id","role")
);

-- CreateTable
CREATE TABLE "publisher" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "publisher_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "publisher_membership" (
    "publisher_id" TEXT NOT NULL,
    "person_id" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "publisher_membership_pkey" PRIMARY KEY ("publisher_id","person_id")
);

-- CreateTable
CREATE TABLE "merchant" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "parent_id" TEXT,
    "name" TEXT NOT NULL,
    "external_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "merchant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "merchant_membership" (
    "merchant_id" TEXT NOT NULL,
    "person_id" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "department" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "merchant_membership_pkey" PRIMARY KEY ("merchant_id","person_id")
);

-- CreateTable
CREATE TABLE "invitation" (
    "id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "target_id" TEXT,
    "role" TEXT NOT NULL,
    "email" TEXT,
    "created_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted_at" TIMESTAMPTZ(3),
    "accepted_by" TEXT,

    CONSTRAINT "invitation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "app" (
    "id" TEXT NOT NULL,
    "publisher_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "class" TEXT NOT NULL,
    "visibility" TEXT NOT NULL,
    "private_merchant_id" TEXT,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "app_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "app_setting" (
    "app_id" TEXT NOT NULL,
    "redirect_uris" TEXT[],
    "require_pushed_request" BOOLEAN NOT NULL DEFAULT false,
    "require_dpop" BOOLEAN NOT NULL DEFAULT false,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "app_setting_pkey" PRIMARY KEY ("app_id")
);

-- CreateTable
CREATE TABLE "credential" (
    "id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "publisher_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "secret_hash" TEXT,
    "public_jwk" JSONB,
    "hint" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "credential_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "version" (
    "id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "publisher_id" TEXT NOT NULL,
    "code" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "manifest" JSONB NOT NULL,
    "package_sha256" TEXT NOT NULL,
    "package_bytes" INTEGER NOT NULL,
    "uploaded_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "state_changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "version_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "release" (
    "id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "publisher_id" TEXT NOT NULL,
    "version_id" TEXT NOT NULL,
    "cohort" TEXT NOT NULL,
    "percentage" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "release_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "blob" (
    "sha256" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "size_bytes" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "blob_pkey" PRIMARY KEY ("sha256")
);

-- CreateTable
CREATE TABLE "review_case" (
    "id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "publisher_id" TEXT NOT NULL,
    "version_id" TEXT NOT NULL,
    "package_sha256" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "assigned_to" TEXT,
    "decided_by" TEXT,
    "decided_at" TIMESTAMPTZ(3),
    "reason_code" TEXT,
    "reason_text" JSONB,

    CONSTRAINT "review_case_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "finding" (
    "id" TEXT NOT NULL,
    "review_case_id" TEXT NOT NULL,
    "rule_id" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "pointer" TEXT,
    "path" TEXT,
    "line" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "finding_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "installation" (
    "id" TEXT NOT NULL,
    "merchant_id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "installed_by" TEXT NOT NULL,
    "installed_at" TIMESTAMPTZ(3) NOT NULL,
    "uninstalled_by" TEXT,
    "uninstalled_at" TIMESTAMPTZ(3),

    CONSTRAINT "installation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "grant" (
    "id" TEXT NOT NULL,
    "merchant_id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "installation_id" TEXT NOT NULL,
    "version_id" TEXT NOT NULL,
    "granted" TEXT[],
    "required" TEXT[],
    "optional" TEXT[],
    "refused" TEXT[],
    "bounds" JSONB NOT NULL,
    "consent_id" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "grant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "consent" (
    "id" TEXT NOT NULL,
    "merchant_id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "installation_id" TEXT,
    "version_id" TEXT NOT NULL,
    "package_sha256" TEXT NOT NULL,
    "person_id" TEXT NOT NULL,
    "decision" TEXT NOT NULL,
    "granted" TEXT[],
    "refused" TEXT[],
    "locale" TEXT NOT NULL,
    "text_sha256" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "decided_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "consent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscription" (
    "id" TEXT NOT NULL,
    "merchant_id" TEXT NOT NULL,
    "installation_id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "stream_id" TEXT NOT NULL,
    "event_type" TEXT NOT NULL,
    "event_version" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "subscription_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stream" (
    "id" TEXT NOT NULL,
    "owner_kind" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "merchant_id" TEXT,
    "installation_id" TEXT,
    "sink" TEXT NOT NULL,
    "next_sequence" BIGINT NOT NULL DEFAULT 1,
    "cursor" BIGINT NOT NULL DEFAULT 0,
    "lease_owner" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "lease_epoch" BIGINT NOT NULL DEFAULT 0,
    "paused_at" TIMESTAMPTZ(3),
    "pause_reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stream_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event" (
    "id" TEXT NOT NULL,
    "seq" BIGSERIAL NOT NULL,
    "source" TEXT NOT NULL,
    "external_id" TEXT,
    "type" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "merchant_id" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "data" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "relayed_at" TIMESTAMPTZ(3),

    CONSTRAINT "event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "body" (
    "hash" TEXT NOT NULL,
    "merchant_id" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "personal" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "body_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "delivery" (
    "id" TEXT NOT NULL,
    "merchant_id" TEXT NOT NULL,
    "installation_id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "stream_id" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "subscription_id" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "event_type" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "scopes" TEXT[],
    "body_hash" TEXT,
    "state" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "last_outcome" TEXT,

    CONSTRAINT "delivery_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "attempt" (
    "id" TEXT NOT NULL,
    "merchant_id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "stream_id" TEXT NOT NULL,
    "delivery_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "status" INTEGER,
    "error" TEXT,
    "response" TEXT,
    "log" TEXT,

    CONSTRAINT "attempt_pkey" PRIMARY KEY ("id","started_at")
) PARTITION BY RANGE ("started_at");

-- CreateTable
CREATE TABLE "endpoint" (
    "id" TEXT NOT NULL,
    "publisher_id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "stream_id" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "state_reason" TEXT,
    "fifo" BOOLEAN NOT NULL DEFAULT false,
    "rate_per_second" INTEGER,
    "start_sequence" BIGINT NOT NULL,
    "verified_at" TIMESTAMPTZ(3),
    "last_success_at" TIMESTAMPTZ(3),
    "failing_since" TIMESTAMPTZ(3),
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "endpoint_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "endpoint_secret" (
    "id" TEXT NOT NULL,
    "endpoint_id" TEXT NOT NULL,
    "scheme" TEXT NOT NULL,
    "sealed" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "endpoint_secret_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "access_record" (
    "id" TEXT NOT NULL,
    "merchant_id" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "app_id" TEXT,
    "installation_id" TEXT,
    "person_id" TEXT,
    "actor" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "code" TEXT,
    "rows" INTEGER NOT NULL,
    "personal" BOOLEAN NOT NULL,
    "request_id" TEXT NOT NULL,
    "duration_ms" INTEGER NOT NULL,

    CONSTRAINT "access_record_pkey" PRIMARY KEY ("id","at")
) PARTITION BY RANGE ("at");

-- CreateTable
CREATE TABLE "audit_entry" (
    "id" TEXT NOT NULL,
    "chain" TEXT NOT NULL,
    "number" BIGINT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "details" JSONB NOT NULL,
    "previous_hash" TEXT,
    "hash" TEXT,

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "rule" (
    "id" TEXT NOT NULL,
    "effect" TEXT NOT NULL,
    "app_id" TEXT,
    "version_id" TEXT,
    "publisher_id" TEXT,
    "merchant_id" TEXT,
    "scope" TEXT,
    "host" TEXT,
    "reason_code" TEXT NOT NULL,
    "message" JSONB NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "lifted_at" TIMESTAMPTZ(3),

    CONSTRAINT "rule_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notice" (
    "id" TEXT NOT NULL,
    "person_id" TEXT,
    "publisher_id" TEXT,
    "merchant_id" TEXT,
    "kind" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "read_at" TIMESTAMPTZ(3),

    CONSTRAINT "notice_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency" (
    "owner_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "response" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_pkey" PRIMARY KEY ("owner_id","key")
);

-- CreateTable
CREATE TABLE "oauth_token" (
    "hash" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "grant_id" TEXT,
    "installation_id" TEXT,
    "merchant_id" TEXT,
    "person_id" TEXT,
    "family_id" TEXT,
    "user_code_hash" TEXT,
    "scopes" TEXT[],
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "consumed_at" TIMESTAMPTZ(3),
    "successor" TEXT,
    "replay_box" TEXT,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "oauth_token_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "oauth_grant" (
    "id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "installation_id" TEXT,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "oauth_grant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "oauth_state" (
    "hash" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "uid" TEXT,
    "account_id" TEXT,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "oauth_state_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "signing_key" (
    "kid" TEXT NOT NULL,
    "alg" TEXT NOT NULL,
    "sealed" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "retired_at" TIMESTAMPTZ(3),

    CONSTRAINT "signing_key_pkey" PRIMARY KEY ("kid")
);

-- CreateTable
CREATE TABLE "platform_fact" (
    "name" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "platform_fact_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "order" (
    "merchant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "external_id" TEXT,
    "state" TEXT NOT NULL,
    "lines" JSONB NOT NULL,
    "total_amount" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "customer" JSONB,
    "tracking" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "paid_at" TIMESTAMPTZ(3),
    "shipped_at" TIMESTAMPTZ(3),

    CONSTRAINT "order_pkey" PRIMARY KEY ("merchant_id","id")
);

-- CreateTable
CREATE TABLE "storage_item" (
    "merchant_id" TEXT NOT NULL,
    "installation_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "size_bytes" INTEGER NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "storage_item_pkey" PRIMARY KEY ("merchant_id","installation_id","key")
);

-- CreateIndex
CREATE UNIQUE INDEX "person_email_key" ON "person"("email");

-- CreateIndex
CREATE INDEX "sign_in_person_id_idx" ON "sign_in"("person_id");

-- CreateIndex
CREATE UNIQUE INDEX "sign_in_kind_identifier_key" ON "sign_in"("kind", "identifier");

-- CreateIndex
CREATE UNIQUE INDEX "session_id_key" ON "session"("id");

-- CreateIndex
CREATE INDEX "session_person_id_idx" ON "session"("person_id");

-- CreateIndex
CREATE UNIQUE INDEX "personal_token_hash_key" ON "personal_token"("hash");

-- CreateIndex
CREATE INDEX "personal_token_person_id_idx" ON "personal_token"("person_id");

-- CreateIndex
CREATE INDEX "publisher_membership_person_id_idx" ON "publisher_membership"("person_id");

-- CreateIndex
CREATE UNIQUE INDEX "merchant_external_id_key" ON "merchant"("external_id");

-- CreateIndex
CREATE INDEX "merchant_parent_id_idx" ON "merchant"("parent_id");

-- CreateIndex
CREATE INDEX "merchant_membership_person_id_idx" ON "merchant_membership"("person_id");

-- CreateIndex
CREATE UNIQUE INDEX "invitation_hash_key" ON "invitation"("hash");

-- CreateIndex
CREATE INDEX "app_publisher_id_created_at_idx" ON "app"("publisher_id", "created_at");

-- CreateIndex
CREATE INDEX "credential_app_id_idx" ON "credential"("app_id");

-- CreateIndex
CREATE UNIQUE INDEX "version_app_id_code_key" ON "version"("app_id", "code");

-- CreateIndex
CREATE INDEX "release_app_id_created_at_idx" ON "release"("app_id", "created_at");

-- CreateIndex
CREATE INDEX "review_case_state_opened_at_idx" ON "review_case"("state", "opened_at");

-- CreateIndex
CREATE INDEX "review_case_version_id_idx" ON "review_case"("version_id");

-- CreateIndex
CREATE INDEX "review_case_package_sha256_idx" ON "review_case"("package_sha256");

-- CreateIndex
CREATE INDEX "finding_review_case_id_idx" ON "finding"("review_case_id");

-- CreateIndex
CREATE INDEX "installation_merchant_id_installed_at_idx" ON "installation"("merchant_id", "installed_at");

-- CreateIndex
CREATE INDEX "installation_app_id_idx" ON "installation"("app_id");

-- CreateIndex
CREATE UNIQUE INDEX "grant_installation_id_key" ON "grant"("installation_id");

-- CreateIndex
CREATE INDEX "grant_merchant_id_idx" ON "grant"("merchant_id");

-- CreateIndex
CREATE INDEX "consent_merchant_id_decided_at_idx" ON "consent"("merchant_id", "decided_at");

-- CreateIndex
CREATE INDEX "subscription_merchant_id_event_type_idx" ON "subscription"("merchant_id", "event_type");

-- CreateIndex
CREATE INDEX "subscription_stream_id_idx" ON "subscription"("stream_id");

-- CreateIndex
CREATE INDEX "stream_app_id_idx" ON "stream"("app_id");

-- CreateIndex
CREATE UNIQUE INDEX "event_seq_key" ON "event"("seq");

-- CreateIndex
CREATE INDEX "event_merchant_id_seq_idx" ON "event"("merchant_id", "seq");

-- CreateIndex
CREATE UNIQUE INDEX "event_source_external_id_key" ON "event"("source", "external_id");

-- CreateIndex
CREATE INDEX "body_created_at_idx" ON "body"("created_at");

-- CreateIndex
CREATE INDEX "body_event_id_idx" ON "body"("event_id");

-- CreateIndex
CREATE INDEX "delivery_merchant_id_created_at_idx" ON "delivery"("merchant_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "delivery_stream_id_sequence_key" ON "delivery"("stream_id", "sequence");

-- CreateIndex
CREATE UNIQUE INDEX "delivery_subscription_id_event_id_key" ON "delivery"("subscription_id", "event_id");

-- CreateIndex
CREATE INDEX "attempt_delivery_id_started_at_idx" ON "attempt"("delivery_id", "started_at");

-- CreateIndex
CREATE UNIQUE INDEX "endpoint_stream_id_key" ON "endpoint"("stream_id");

-- CreateIndex
CREATE INDEX "endpoint_publisher_id_app_id_idx" ON "endpoint"("publisher_id", "app_id");

-- CreateIndex
CREATE INDEX "endpoint_secret_endpoint_id_idx" ON "endpoint_secret"("endpoint_id");

-- CreateIndex
CREATE INDEX "access_record_merchant_id_at_idx" ON "access_record"("merchant_id", "at");

-- CreateIndex
CREATE UNIQUE INDEX "audit_entry_chain_number_key" ON "audit_entry"("chain", "number");

-- CreateIndex
CREATE INDEX "rule_app_id_idx" ON "rule"("app_id");

-- CreateIndex
CREATE INDEX "notice_person_id_created_at_idx" ON "notice"("person_id", "created_at");

-- CreateIndex
CREATE INDEX "notice_publisher_id_created_at_idx" ON "notice"("publisher_id", "created_at");

-- CreateIndex
CREATE INDEX "notice_merchant_id_created_at_idx" ON "notice"("merchant_id", "created_at");

-- CreateIndex
CREATE INDEX "idempotency_expires_at_idx" ON "idempotency"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "oauth_token_user_code_hash_key" ON "oauth_token"("user_code_hash");

-- CreateIndex
CREATE INDEX "oauth_token_grant_id_idx" ON "oauth_token"("grant_id");

-- CreateIndex
CREATE INDEX "oauth_token_installation_id_idx" ON "oauth_token"("installation_id");

-- CreateIndex
CREATE INDEX "oauth_token_family_id_idx" ON "oauth_token"("family_id");

-- CreateIndex
CREATE INDEX "oauth_token_expires_at_idx" ON "oauth_token"("expires_at");

-- CreateIndex
CREATE INDEX "oauth_grant_installation_id_idx" ON "oauth_grant"("installation_id");

-- CreateIndex
CREATE INDEX "oauth_grant_app_id_account_id_idx" ON "oauth_grant"("app_id", "account_id");

-- CreateIndex
CREATE UNIQUE INDEX "oauth_state_uid_key" ON "oauth_state"("uid");

-- CreateIndex
CREATE INDEX "oauth_state_account_id_idx" ON "oauth_state"("account_id");

-- CreateIndex
CREATE INDEX "oauth_state_expires_at_idx" ON "oauth_state"("expires_at");

-- CreateIndex
CREATE INDEX "order_merchant_id_created_at_idx" ON "order"("merchant_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "order_merchant_id_external_id_key" ON "order"("merchant_id", "external_id");

-- AddForeignKey
ALTER TABLE "sign_in" ADD CONSTRAINT "sign_in_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "person"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "session" ADD CONSTRAINT "session_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "person"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "personal_token" ADD CONSTRAINT "personal_token_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "person"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "platform_role" ADD CONSTRAINT "platform_role_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "person"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "publisher_membership" ADD CONSTRAINT "publisher_membership_publisher_id_fkey" FOREIGN KEY ("publisher_id") REFERENCES "publisher"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "publisher_membership" ADD CONSTRAINT "publisher_membership_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "person"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "merchant" ADD CONSTRAINT "merchant_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "merchant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "merchant_membership" ADD CONSTRAINT "merchant_membership_merchant_id_fkey" FOREIGN KEY ("merchant_id") REFERENCES "merchant"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "merchant_membership" ADD CONSTRAINT "merchant_membership_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "person"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "app" ADD CONSTRAINT "app_publisher_id_fkey" FOREIGN KEY ("publisher_id") REFERENCES "publisher"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "app_setting" ADD CONSTRAINT "app_setting_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "app"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credential" ADD CONSTRAINT "credential_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "app"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "version" ADD CONSTRAINT "version_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "app"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "release" ADD CONSTRAINT "release_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "app"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "release" ADD CONSTRAINT "release_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "version"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "finding" ADD CONSTRAINT "finding_review_case_id_fkey" FOREIGN KEY ("review_case_id") REFERENCES "review_case"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "installation" ADD CONSTRAINT "installation_merchant_id_fkey" FOREIGN KEY ("merchant_id") REFERENCES "merchant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "installation" ADD CONSTRAINT "installation_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "app"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grant" ADD CONSTRAINT "grant_installation_id_fkey" FOREIGN KEY ("installation_id") REFERENCES "installation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription" ADD CONSTRAINT "subscription_installation_id_fkey" FOREIGN KEY ("installation_id") REFERENCES "installation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription" ADD CONSTRAINT "subscription_stream_id_fkey" FOREIGN KEY ("stream_id") REFERENCES "stream"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stream" ADD CONSTRAINT "stream_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "app"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "delivery" ADD CONSTRAINT "delivery_stream_id_fkey" FOREIGN KEY ("stream_id") REFERENCES "stream"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "delivery" ADD CONSTRAINT "delivery_body_hash_fkey" FOREIGN KEY ("body_hash") REFERENCES "body"("hash") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "endpoint" ADD CONSTRAINT "endpoint_stream_id_fkey" FOREIGN KEY ("stream_id") REFERENCES "stream"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "endpoint_secret" ADD CONSTRAINT "endpoint_secret_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "endpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order" ADD CONSTRAINT "order_merchant_id_fkey" FOREIGN KEY ("merchant_id") REFERENCES "merchant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "storage_item" ADD CONSTRAINT "storage_item_installation_id_fkey" FOREIGN KEY ("installation_id") REFERENCES "installation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- ---------------------------------------------------------------------------------------------------------------
-- By hand: what a Prisma schema cannot say. test/architecture/pg-catalog.snapshot.txt guards it.
-- attempt and access_record are partitioned by month (above); rows outside every month go to the default partition.
-- ---------------------------------------------------------------------------------------------------------------

CREATE TABLE "attempt_default" PARTITION OF "attempt" DEFAULT;
CREATE TABLE "access_record_default" PARTITION OF "access_record" DEFAULT;

-- At most one live installation of an app at a merchant.
CREATE UNIQUE INDEX "stream_app_sink_key" ON "stream"("app_id", "sink") WHERE "owner_kind" = 'app';
CREATE UNIQUE INDEX "stream_installation_sink_key" ON "stream"("installation_id", "sink") WHERE "owner_kind" = 'installation';
CREATE UNIQUE INDEX "subscription_live_key" ON "subscription"("installation_id", "stream_id", "event_type") WHERE "ended_at" IS NULL;
CREATE UNIQUE INDEX "installation_live_key" ON "installation"("merchant_id", "app_id") WHERE "state" = 'active';

-- Small indexes on the few rows that still need work, so that looking for work never depends on the history's size.
CREATE INDEX "event_unrelayed_idx" ON "event"("seq") WHERE "relayed_at" IS NULL;
CREATE INDEX "delivery_due_idx" ON "delivery"("due_at") WHERE "state" IN ('pending', 'waiting');
CREATE INDEX "delivery_stream_due_idx" ON "delivery"("stream_id", "due_at") WHERE "state" IN ('pending', 'waiting');
CREATE INDEX "audit_entry_unnumbered_idx" ON "audit_entry"("chain", "at") WHERE "number" IS NULL;
CREATE INDEX "rule_in_force_idx" ON "rule"("created_at") WHERE "lifted_at" IS NULL;
CREATE INDEX "subscription_live_idx" ON "subscription"("merchant_id", "event_type") WHERE "ended_at" IS NULL;

ALTER TABLE "platform_role" ADD CONSTRAINT "platform_role_role_check" CHECK ("role" IN ('reviewer', 'operator'));
ALTER TABLE "publisher_membership" ADD CONSTRAINT "publisher_membership_role_check" CHECK ("role" IN ('owner', 'developer', 'viewer', 'ci'));
ALTER TABLE "merchant" ADD CONSTRAINT "merchant_kind_check" CHECK ("kind" IN ('organisation', 'shop'));
ALTER TABLE "merchant_membership" ADD CONSTRAINT "merchant_membership_role_check" CHECK ("role" IN ('owner', 'manager', 'staff'));
ALTER TABLE "invitation" ADD CONSTRAINT "invitation_kind_check" CHECK ("kind" IN ('publisher', 'merchant', 'platform'));
ALTER TABLE "app" ADD CONSTRAINT "app_class_check" CHECK ("class" IN ('backend', 'mini-program', 'both'));
ALTER TABLE "app" ADD CONSTRAINT "app_visibility_check" CHECK ("visibility" IN ('public', 'internal') OR ("visibility" = 'private' AND "private_merchant_id" IS NOT NULL));
ALTER TABLE "credential" ADD CONSTRAINT "credential_kind_check" CHECK (("kind" = 'secret' AND "secret_hash" IS NOT NULL) OR ("kind" = 'key' AND "public_jwk" IS NOT NULL));
ALTER TABLE "version" ADD CONSTRAINT "version_state_check" CHECK ("state" IN ('draft', 'submitted', 'approved', 'rejected', 'released', 'withdrawn'));
ALTER TABLE "release" ADD CONSTRAINT "release_state_check" CHECK ("state" IN ('active', 'halted', 'ended'));
ALTER TABLE "release" ADD CONSTRAINT "release_percentage_check" CHECK ("percentage" BETWEEN 0 AND 100);
ALTER TABLE "blob" ADD CONSTRAINT "blob_size_check" CHECK ("size_bytes" = octet_length("bytes") AND "size_bytes" <= 2097152);
ALTER TABLE "review_case" ADD CONSTRAINT "review_case_state_check" CHECK ("state" IN ('submitted', 'checking', 'in_review', 'approved', 'rejected', 'withdrawn'));
ALTER TABLE "finding" ADD CONSTRAINT "finding_severity_check" CHECK ("severity" IN ('info', 'warning', 'blocker'));
ALTER TABLE "installation" ADD CONSTRAINT "installation_state_check" CHECK ("state" IN ('active', 'uninstalled'));
ALTER TABLE "consent" ADD CONSTRAINT "consent_decision_check" CHECK ("decision" IN ('granted', 'refused', 'narrowed', 'withdrawn'));
ALTER TABLE "stream" ADD CONSTRAINT "stream_owner_kind_check" CHECK ("owner_kind" = 'app' OR ("owner_kind" = 'installation' AND "installation_id" IS NOT NULL));
ALTER TABLE "stream" ADD CONSTRAINT "stream_sink_check" CHECK ("sink" IN ('backend', 'sandbox'));
ALTER TABLE "delivery" ADD CONSTRAINT "delivery_state_check" CHECK ("state" IN ('pending', 'waiting', 'delivered', 'exhausted', 'cancelled'));
ALTER TABLE "attempt" ADD CONSTRAINT "attempt_outcome_check" CHECK ("outcome" IN ('delivered', 'failed', 'gone', 'refused', 'cancelled'));
ALTER TABLE "endpoint" ADD CONSTRAINT "endpoint_state_check" CHECK ("state" IN ('active', 'paused', 'stopped'));
ALTER TABLE "endpoint_secret" ADD CONSTRAINT "endpoint_secret_scheme_check" CHECK ("scheme" IN ('v1', 'v1a'));
ALTER TABLE "access_record" ADD CONSTRAINT "access_record_actor_check" CHECK ("actor" IN ('app', 'person', 'host'));
ALTER TABLE "access_record" ADD CONSTRAINT "access_record_via_check" CHECK ("via" IN ('rest', 'sandbox', 'console'));
ALTER TABLE "access_record" ADD CONSTRAINT "access_record_outcome_check" CHECK ("outcome" IN ('ok', 'denied', 'failed'));
ALTER TABLE "rule" ADD CONSTRAINT "rule_effect_check" CHECK ("effect" IN ('pause_events', 'read_only', 'block_host', 'drop_scope', 'revoke_tokens', 'hide', 'stop'));
-- A rule that names nothing would concern everything or nothing, depending on who reads it.
ALTER TABLE "rule" ADD CONSTRAINT "rule_selector_check" CHECK (num_nonnulls("app_id", "version_id", "publisher_id", "merchant_id", "scope", "host") >= 1);
ALTER TABLE "notice" ADD CONSTRAINT "notice_reader_check" CHECK (num_nonnulls("person_id", "publisher_id", "merchant_id") >= 1);
ALTER TABLE "oauth_token" ADD CONSTRAINT "oauth_token_kind_check" CHECK ("kind" IN ('AccessToken', 'ClientCredentials', 'RefreshToken', 'AuthorizationCode', 'DeviceCode'));
ALTER TABLE "order" ADD CONSTRAINT "order_state_check" CHECK ("state" IN ('created', 'paid', 'shipped'));
