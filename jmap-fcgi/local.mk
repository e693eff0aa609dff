# jmap-fcgi: the JMAP server
noinst_LIBRARIES += jmap-fcgi/libjmap.a
jmap_fcgi_libjmap_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
jmap_fcgi_libjmap_a_SOURCES = \
	jmap-fcgi/account.c jmap-fcgi/account.h \
	jmap-fcgi/api.c \
	jmap-fcgi/auth.c \
	jmap-fcgi/blob.c jmap-fcgi/blob.h \
	jmap-fcgi/blob-get.c jmap-fcgi/blob-methods.h \
	jmap-fcgi/blob-upload.c \
	jmap-fcgi/core-echo.c \
	jmap-fcgi/cors.c \
	jmap-fcgi/download.c \
	jmap-fcgi/email-advance.c \
	jmap-fcgi/email-body.c jmap-fcgi/email.h \
	jmap-fcgi/email-copy.c \
	jmap-fcgi/email-create.c jmap-fcgi/email-create.h \
	jmap-fcgi/email-create-body.c \
	jmap-fcgi/email-create-header.c \
	jmap-fcgi/email-create-write.c \
	jmap-fcgi/email-filter.c \
	jmap-fcgi/email-flags.c \
	jmap-fcgi/email-header.c \
	jmap-fcgi/email-import.c \
	jmap-fcgi/email-load.c \
	jmap-fcgi/email-moved.c \
	jmap-fcgi/email-parse.c \
	jmap-fcgi/email-query.c \
	jmap-fcgi/email-query-changes.c \
	jmap-fcgi/email-rights.c \
	jmap-fcgi/email-set.c \
	jmap-fcgi/email-sort.c \
	jmap-fcgi/email-text.c jmap-fcgi/email-text.h \
	jmap-fcgi/email-type.c \
	jmap-fcgi/engine.c jmap-fcgi/jmap.h \
	jmap-fcgi/eventsource.c \
	jmap-fcgi/follow.c \
	jmap-fcgi/ids.c \
	jmap-fcgi/identity.c \
	jmap-fcgi/identity-set.c jmap-fcgi/submission.h \
	jmap-fcgi/json.c jmap-fcgi/json.h \
	jmap-fcgi/limits.c \
	jmap-fcgi/listen.c jmap-fcgi/listen.h \
	jmap-fcgi/logins.c \
	jmap-fcgi/mailbox-filter.c \
	jmap-fcgi/mailbox-query.c \
	jmap-fcgi/mailbox-set.c \
	jmap-fcgi/mailbox-type.c jmap-fcgi/mailbox.h \
	jmap-fcgi/mdn-parse.c jmap-fcgi/mdn.h \
	jmap-fcgi/mdn-send.c \
	jmap-fcgi/methods.c jmap-fcgi/methods.h \
	jmap-fcgi/outbox.c \
	jmap-fcgi/patch.c \
	jmap-fcgi/pointer.c \
	jmap-fcgi/poller.c jmap-fcgi/poller-int.h \
	jmap-fcgi/pool.c \
	jmap-fcgi/push-set.c jmap-fcgi/push.h \
	jmap-fcgi/push-type.c \
	jmap-fcgi/query-cache.c jmap-fcgi/query-cache.h \
	jmap-fcgi/query-changes.c \
	jmap-fcgi/quota.c jmap-fcgi/quota.h \
	jmap-fcgi/quota-query.c \
	jmap-fcgi/record.c jmap-fcgi/record.h \
	jmap-fcgi/refs.c \
	jmap-fcgi/session.c \
	jmap-fcgi/snippet.c \
	jmap-fcgi/snippet-mark.c \
	jmap-fcgi/submission-check.c \
	jmap-fcgi/submission-query.c \
	jmap-fcgi/submission-set.c \
	jmap-fcgi/submission-type.c \
	jmap-fcgi/thread.c \
	jmap-fcgi/type-changes.c \
	jmap-fcgi/type-get.c jmap-fcgi/type.h \
	jmap-fcgi/type-set.c \
	jmap-fcgi/upload.c \
	jmap-fcgi/uri.c jmap-fcgi/uri.h \
	jmap-fcgi/vacation.c \
	jmap-fcgi/web.c jmap-fcgi/web.h \
	jmap-fcgi/window.c \
	jmap-fcgi/workers.c

LIBJMAP = jmap-fcgi/libjmap.a $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(LIBBASE) \
	$(LIBPUSH) $(JANSSON_LIBS) $(FCGI_LIBS) -lpthread

daemon_PROGRAMS += jmap-fcgi/jmap-fcgi
jmap_fcgi_jmap_fcgi_SOURCES = jmap-fcgi/main.c
jmap_fcgi_jmap_fcgi_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
jmap_fcgi_jmap_fcgi_LDADD = $(LIBJMAP)

dist_pkgdata_DATA = conf/nginx/culver-locations.conf
dist_man_MANS += doc/jmap-fcgi.8

check_PROGRAMS += t/unit/test-jmap-text
t_unit_test_jmap_text_SOURCES = t/unit/test-jmap-text.c
t_unit_test_jmap_text_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
t_unit_test_jmap_text_LDADD = jmap-fcgi/libjmap.a $(LIBSTORE) $(JANSSON_LIBS) $(TEST_LIBS)

EXTRA_DIST += t/lib/CulverJmap.pm t/lib/SmtpSink.pm
TAPS += t/jmap/http.t t/jmap/core.t t/jmap/mailbox.t t/jmap/email.t \
	t/jmap/blob.t t/jmap/bearer.t t/jmap/push.t t/jmap/push-shared.t t/jmap/gone.t t/jmap/server.t t/jmap/sync.t \
	t/jmap/table.t t/jmap/mailbox-query.t \
	t/jmap/identity.t t/jmap/submission.t t/jmap/submission-query.t \
	t/jmap/submission-sendmail.t t/jmap/submission-mta.t t/jmap/submission-crash.t t/jmap/vacation.t t/jmap/email-parse.t \
	t/jmap/email-query-changes.t t/jmap/shared-query.t t/jmap/email-create.t \
	t/jmap/snippet.t t/jmap/stats.t t/jmap/quota.t t/jmap/blob-methods.t t/jmap/shared.t t/jmap/email-copy.t t/jmap/mdn.t t/jmap/email-sort.t \
	t/jmap/one-change.t t/jmap/email-mime.t t/jmap/email-bodies.t t/jmap/counts.t

check_PROGRAMS += t/unit/test-jmap-engine
t_unit_test_jmap_engine_SOURCES = t/unit/test-jmap-engine.c
t_unit_test_jmap_engine_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) \
	$(JANSSON_CFLAGS)
t_unit_test_jmap_engine_LDADD = $(LIBJMAP) $(CMOCKA_LIBS)

check_PROGRAMS += t/fuzz/fuzz-jmap
t_fuzz_fuzz_jmap_SOURCES = t/fuzz/fuzz-jmap.c $(FUZZ_MAIN)
t_fuzz_fuzz_jmap_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_jmap_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_jmap_LDADD = $(LIBJMAP)

check_PROGRAMS += t/unit/test-jmap-snippet
t_unit_test_jmap_snippet_SOURCES = t/unit/test-jmap-snippet.c
t_unit_test_jmap_snippet_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) \
	$(JANSSON_CFLAGS)
t_unit_test_jmap_snippet_LDADD = $(LIBJMAP) $(CMOCKA_LIBS)
