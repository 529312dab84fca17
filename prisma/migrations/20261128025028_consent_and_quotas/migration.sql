-- AlterTable
ALTER TABLE "consent" ADD COLUMN     "separate" TEXT[] DEFAULT ARRAY[]::TEXT[];
