# scripts: what a newcomer runs
EXTRA_DIST += scripts/setup scripts/test

EXTRA_DIST += scripts/serve \
	scripts/samples/1-welcome.eml \
	scripts/samples/2-unicode.eml \
	scripts/samples/3-reply.eml \
	scripts/samples/4-attachment.eml

# The Debian package.
EXTRA_DIST += scripts/deb \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/culver.lintian-overrides \
	debian/culver.postinst \
	debian/culver.postrm \
	debian/culver.prerm \
	debian/culver.tmpfiles \
	debian/make-conf \
	debian/rules \
	debian/source/format
