# scripts: what a newcomer runs
EXTRA_DIST += scripts/setup scripts/test

EXTRA_DIST += scripts/serve \
	scripts/samples/1-welcome.eml \
	scripts/samples/2-unicode.eml \
	scripts/samples/3-reply.eml \
	scripts/samples/4-attachment.eml
