# scripts: what a newcomer runs
EXTRA_DIST += scripts/setup scripts/test
