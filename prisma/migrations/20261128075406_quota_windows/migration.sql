-- CreateTable
CREATE TABLE "quota_window" (
    "key" TEXT COLLATE "C" NOT NULL,
    "points" INTEGER NOT NULL DEFAULT 0,
    "expire" BIGINT,

    CONSTRAINT "quota_window_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE INDEX "quota_window_expire_idx" ON "quota_window"("expire");
