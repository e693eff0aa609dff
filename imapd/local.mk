# imapd: IMAP4rev2 and IMAP4rev1.  All but main() is a library, for the tests.
noinst_LIBRARIES += imapd/libimapd.a
imapd_libimapd_a_SOURCES = \
	imapd/annotate.c imapd/annotate.h \
	imapd/answer.c \
	imapd/append.h \
	imapd/args.c imapd/args.h \
	imapd/binary.c \
	imapd/bodystructure.c \
	imapd/catenate.c \
	imapd/chars.h \
	imapd/cmd-acl.c \
	imapd/cmd-any.c \
	imapd/cmd-append.c \
	imapd/cmd-auth.c \
	imapd/cmd-comparator.c \
	imapd/cmd-compress.c \
	imapd/cmd-copy.c \
	imapd/cmd-esearch.c \
	imapd/cmd-expunge.c \
	imapd/cmd-fetch.c \
	imapd/cmd-idle.c \
	imapd/cmd-language.c \
	imapd/cmd-list.c \
	imapd/cmd-mailbox.c \
	imapd/cmd-metadata.c \
	imapd/cmd-notify.c \
	imapd/cmd-quota.c \
	imapd/cmd-search.c \
	imapd/cmd-select.c \
	imapd/cmd-sort.c \
	imapd/cmd-status.c \
	imapd/cmd-store.c \
	imapd/cmd-thread.c \
	imapd/cmd-uidbatches.c \
	imapd/commands.c \
	imapd/context.c imapd/context.h \
	imapd/context-sort.c imapd/context-update.c \
	imapd/copy-across.c imapd/copy.h \
	imapd/date.c imapd/date.h \
	imapd/encode.c imapd/encode.h \
	imapd/envelope.c \
	imapd/fetch-parse.c imapd/fetch.h \
	imapd/flags.c \
	imapd/frame.c \
	imapd/imap.h \
	imapd/keys.c imapd/keys.h \
	imapd/language.c imapd/language.h \
	imapd/lex.c imapd/lex.h \
	imapd/limit.c \
	imapd/list.c imapd/list.h \
	imapd/match.c imapd/match.h \
	imapd/parse.c imapd/parse.h \
	imapd/metadata.c imapd/metadata.h \
	imapd/notify.c imapd/notify.h \
	imapd/notify-look.c imapd/notify-tell.c \
	imapd/place.c imapd/place.h \
	imapd/progress.c \
	imapd/resync.c \
	imapd/search-answer.c imapd/search-eval.c imapd/search-filter.c \
	imapd/search-parse.c \
	imapd/search-run.c imapd/search.h \
	imapd/section.c \
	imapd/seqset.c imapd/seqset.h \
	imapd/set.c \
	imapd/sync.c \
	imapd/tree.c imapd/tree-node.c imapd/tree-print.c \
	imapd/texts-de.c imapd/texts-fr.c \
	imapd/tree.h \
	imapd/url.c \
	imapd/view.c imapd/view.h

LIBIMAPD = imapd/libimapd.a $(ZLIB_LIBS)

daemon_PROGRAMS += imapd/imapd
imapd_imapd_SOURCES = imapd/main.c
imapd_imapd_LDADD = $(LIBIMAPD) $(LIBSESSION) $(LIBSTORE) $(LIBMIME) \
	$(LIBBASE)

check_PROGRAMS += t/unit/test-imap-parse
t_unit_test_imap_parse_SOURCES = t/unit/test-imap-parse.c
t_unit_test_imap_parse_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_imap_parse_LDADD = $(LIBIMAPD) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-imap-text
t_unit_test_imap_text_SOURCES = t/unit/test-imap-text.c
t_unit_test_imap_text_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_imap_text_LDADD = $(LIBIMAPD) libsession/libsession.a \
	$(LIBCONF) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-imap-tree
t_unit_test_imap_tree_SOURCES = t/unit/test-imap-tree.c
t_unit_test_imap_tree_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_imap_tree_LDADD = $(LIBIMAPD) libsession/libsession.a \
	$(LIBCONF) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-imap-session
t_unit_test_imap_session_SOURCES = t/unit/test-imap-session.c
t_unit_test_imap_session_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_imap_session_LDADD = $(imapd_imapd_LDADD) $(CMOCKA_LIBS)

check_PROGRAMS += t/fuzz/fuzz-imap-command t/fuzz/fuzz-imap-name
t_fuzz_fuzz_imap_command_SOURCES = t/fuzz/fuzz-imap-command.c $(FUZZ_MAIN)
t_fuzz_fuzz_imap_command_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_imap_command_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_imap_command_LDADD = $(LIBIMAPD) $(LIBBASE)
t_fuzz_fuzz_imap_name_SOURCES = t/fuzz/fuzz-imap-name.c $(FUZZ_MAIN)
t_fuzz_fuzz_imap_name_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_imap_name_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_imap_name_LDADD = $(LIBIMAPD) $(LIBBASE)

check_PROGRAMS += t/fuzz/fuzz-imap-fetch
t_fuzz_fuzz_imap_fetch_SOURCES = t/fuzz/fuzz-imap-fetch.c $(FUZZ_MAIN)
t_fuzz_fuzz_imap_fetch_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_imap_fetch_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_imap_fetch_LDADD = $(imapd_imapd_LDADD)

TAPS += \
	t/imap/acl.t \
	t/imap/annotate.t \
	t/imap/any.t \
	t/imap/list-myrights.t \
	t/imap/many-shares.t \
	t/imap/move-crash.t \
	t/imap/new-account.t \
	t/imap/notify.t \
	t/imap/notify-overflow.t \
	t/imap/other-users.t \
	t/imap/append.t \
	t/imap/binary.t \
	t/imap/catenate.t \
	t/imap/comparator.t \
	t/imap/compress.t \
	t/imap/condstore.t \
	t/imap/context.t \
	t/imap/copy.t \
	t/imap/create-use.t \
	t/imap/damage.t \
	t/imap/eight-bit.t \
	t/imap/esearch.t \
	t/imap/fetch.t \
	t/imap/fuzzy.t \
	t/imap/grammar.t \
	t/imap/idle.t \
	t/imap/language.t \
	t/imap/list-extended.t \
	t/imap/mailbox.t \
	t/imap/multiappend.t \
	t/imap/multisearch.t \
	t/imap/names.t \
	t/imap/net.t \
	t/imap/objectid.t \
	t/imap/partial.t \
	t/imap/preview.t \
	t/imap/qresync.t \
	t/imap/quota.t \
	t/imap/quotaset.t \
	t/imap/random-context.t \
	t/imap/random-qresync.t \
	t/imap/random.t \
	t/imap/filters.t \
	t/imap/inprogress.t \
	t/imap/jmapaccess.t \
	t/imap/list-metadata.t \
	t/imap/memory.t \
	t/imap/metadata.t \
	t/imap/limit.t \
	t/imap/uidbatches.t \
	t/imap/uidonly.t \
	t/imap/utf8.t \
	t/imap/xlist.t \
	t/imap/replace.t \
	t/imap/unauthenticate.t \
	t/imap/rev2.t \
	t/imap/savedate.t \
	t/imap/search.t \
	t/imap/select.t \
	t/imap/sort.t \
	t/imap/store.t \
	t/imap/syntax.t \
	t/imap/table.t \
	t/imap/texts.t \
	t/imap/thread.t \
	t/imap/tls.t \
	t/imap/two.t
EXTRA_DIST += t/lib/ImapScript.pm
