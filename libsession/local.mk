# libsession: what one connection needs, whatever its protocol
noinst_LIBRARIES += libsession/libsession.a
libsession_libsession_a_CFLAGS = $(AM_CFLAGS) $(NETTLE_CFLAGS)
libsession_libsession_a_SOURCES = \
	libsession/authcache.c libsession/authcache.h \
	libsession/backend-int.h \
	libsession/backend.c libsession/backend.h \
	libsession/changed.c libsession/changed.h \
	libsession/linefile-int.h \
	libsession/linefile-update.c \
	libsession/linefile.c libsession/linefile.h \
	libsession/listen-fds.c \
	libsession/login-address.c \
	libsession/login-certificate.c \
	libsession/login-find.c \
	libsession/login-scram.c \
	libsession/login-int.h \
	libsession/login-token.c \
	libsession/login.c \
	libsession/module.c libsession/module.h \
	libsession/mta-address.c libsession/mta.h \
	libsession/mta.c libsession/mta-int.h \
	libsession/mta-sendmail.c \
	libsession/mta-smtp.c \
	libsession/oauth.c libsession/oauth.h \
	libsession/passwd-int.h \
	libsession/passwd-update.c \
	libsession/passwd.c libsession/passwd.h \
	libsession/confine-calls.c \
	libsession/confine.c libsession/confine.h \
	libsession/peer.c libsession/peer.h \
	libsession/penalty.c libsession/penalty.h \
	libsession/who.c libsession/who.h \
	libsession/priv.c \
	libsession/program.c libsession/program.h \
	libsession/proxy.c libsession/proxy.h \
	libsession/protocols.c libsession/protocols.h \
	libsession/run-file.c libsession/run-file.h \
	libsession/sasl-int.h \
	libsession/sasl-oauth.c \
	libsession/sasl-scram.c \
	libsession/sasl.c \
	libsession/scheme.c libsession/scheme.h \
	libsession/scram.c libsession/scram.h \
	libsession/secret.c libsession/secret.h \
	libsession/server.c \
	libsession/session-int.h \
	libsession/session.c libsession/session.h \
	libsession/setup.c \
	libsession/sio-int.h \
	libsession/sio-out.c \
	libsession/sio.c libsession/sio.h \
	libsession/stats.c libsession/stats.h \
	libsession/submit.c libsession/submit.h \
	libsession/tls-int.h \
	libsession/token.c libsession/token.h \
	libsession/tls.c libsession/tls.h \
	libsession/trace.c libsession/trace.h \
	libsession/waiter.c \
	libsession/webpush.c libsession/webpush.h

# GnuTLS is linked by this module alone.
pkglib_LTLIBRARIES += libsession/tls.la
libsession_tls_la_SOURCES = \
	libsession/tls-gnutls-cert.c \
	libsession/tls-gnutls-client.c \
	libsession/tls-gnutls-ticket.c \
	libsession/tls-gnutls.c libsession/tls-gnutls.h \
	libsession/tls-int.h
libsession_tls_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(GNUTLS_CFLAGS)
libsession_tls_la_LDFLAGS = -module -avoid-version -shared \
	-Wl,-z,relro,-z,now
libsession_tls_la_LIBADD = $(GNUTLS_LIBS)

# So are libcurl, for access tokens of others.
pkglib_LTLIBRARIES += libsession/oauth.la
libsession_oauth_la_SOURCES = \
	libsession/oauth-int.h \
	libsession/oauth-introspect.c \
	libsession/oauth-json.h \
	libsession/oauth-key.c \
	libsession/oauth-module.c
libsession_oauth_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden \
	$(CURL_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS)
libsession_oauth_la_LDFLAGS = $(libsession_tls_la_LDFLAGS)
libsession_oauth_la_LIBADD = $(CURL_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS)

# And PAM.
pkglib_LTLIBRARIES += libsession/pam.la
libsession_pam_la_SOURCES = libsession/backend-int.h libsession/backend-pam.c
libsession_pam_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(PAM_CFLAGS)
libsession_pam_la_LDFLAGS = $(libsession_tls_la_LDFLAGS)
libsession_pam_la_LIBADD = $(PAM_LIBS)

# What a program needs to link libsession, beside LIBSTORE.
LIBSESSION = libsession/libsession.a $(LIBCONF) $(CRYPT_LIBS)

check_PROGRAMS += t/unit/test-sio
t_unit_test_sio_SOURCES = t/unit/test-sio.c
t_unit_test_sio_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_sio_LDADD = libsession/libsession.a $(LIBCONF) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-mta
t_unit_test_mta_SOURCES = t/unit/test-mta.c
t_unit_test_mta_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_mta_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(TEST_LIBS)

TAPS += t/session/backend.t t/session/doc.t t/session/log.t t/session/login.t t/session/modes.t t/session/oauth.t t/session/proxy.t t/session/scram.t t/session/trace.t t/session/tls.t
TAPS += t/session/confine.t t/session/tls-client.t t/session/tls-hostile.t t/session/tls-names.t t/session/tls-ticket.t
dist_man_MANS += doc/culver.conf.5 doc/culver-passwd.5 doc/culver-tokens.5

check_PROGRAMS += t/unit/test-passwd
t_unit_test_passwd_SOURCES = t/unit/test-passwd.c
t_unit_test_passwd_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_passwd_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-confine
t_unit_test_confine_SOURCES = t/unit/test-confine.c
t_unit_test_confine_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_confine_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-penalty
t_unit_test_penalty_SOURCES = t/unit/test-penalty.c
t_unit_test_penalty_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_penalty_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(TEST_LIBS)

check_PROGRAMS += t/fuzz/fuzz-passwd
t_fuzz_fuzz_passwd_SOURCES = t/fuzz/fuzz-passwd.c $(FUZZ_MAIN)
t_fuzz_fuzz_passwd_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_passwd_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_passwd_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(LIBBASE)

# What is needed beside LIBSESSION for webpush.h.
LIBPUSH = $(HOGWEED_LIBS) $(NETTLE_LIBS) $(GMP_LIBS)
check_PROGRAMS += t/unit/test-webpush
t_unit_test_webpush_SOURCES = t/unit/test-webpush.c
t_unit_test_webpush_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_webpush_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(LIBPUSH) $(TEST_LIBS)
