import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/fixed-seeds.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two workers: integration tests start registries and containers, and CI machines are small.
    maxWorkers: 2,
  },
});
