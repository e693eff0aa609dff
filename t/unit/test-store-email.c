/* t/unit/test-store-email.c - Emails, threads, changes, blobs, upkeep */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/xalloc.h"
#include "t/unit/store-world.h"

/* ---- Emails ------------------------------------------------------------ */

static void
test_change(void **state)
{
	struct world w = world(state);
	struct store_added r = add(&w, 1, STORE_DELETED), r2 = add(&w, 2, 0);
	uint64_t none = 777;
	struct store_email_set s[6] = {
		{ .id = 5, .destroy = true },
		{ .id = r.email, .mailboxes_add = &none, .n_add = 1 },
		{ .id = r.email, .mailboxes_del = &w.inbox, .n_del = 1 },
		{ .id = r.email, .flags_add = UINT64_C(1) << 50 },
		{ .id = r.email, .set_flags = true, .flags_add = STORE_SEEN,
		    .set_mailboxes = true, .mailboxes_add = &w.box,
		    .n_add = 1 },
		{ .id = r2.email, .destroy = true },
	};
	int rc[6];
	uint64_t before = store_modseq(w.st), modseq;
	struct store_email e;

	assert_int_equal(store_email_change(w.st, s, 6, rc, &modseq), 0);
	assert_int_equal(modseq, before + 1);
	assert_int_equal(rc[0], STORE_E_NOTFOUND);
	assert_int_equal(rc[1], STORE_E_NOTFOUND);
	assert_int_equal(rc[2], STORE_E_INVALID);
	assert_int_equal(rc[3], STORE_E_INVALID);
	assert_int_equal(rc[4], 0);
	assert_int_equal(rc[5], 0);
	e = email(&w, r.email);
	assert_int_equal(e.n_in, 1);
	assert_int_equal(e.in[0].mailbox, w.box);
	/* JMAP knows of no \Deleted: it doesn't come along. */
	assert_false(e.in[0].deleted);
	assert_int_equal(e.flags, STORE_SEEN);
	assert_int_equal(store_email_get(w.st, w.a, r2.email, &e),
	    STORE_E_NOTFOUND);
	assert_int_equal(box(&w, w.inbox).total, 0);
	/* Nothing to do is no change. */
	s[0] = (struct store_email_set){ .id = r.email,
	    .flags_add = STORE_SEEN, .mailboxes_add = &w.box, .n_add = 1 };
	assert_int_equal(store_email_change(w.st, s, 1, rc, &modseq), 0);
	assert_int_equal(rc[0], 0);
	assert_int_equal(store_modseq(w.st), before + 1);
	/* Only one can be the first who sets it. */
	s[0] = s[1] = (struct store_email_set){ .id = r.email,
	    .flags_add = STORE_FLAGGED, .flags_unless = STORE_FLAGGED };
	assert_int_equal(store_email_change(w.st, s, 2, rc, &modseq), 0);
	assert_int_equal(rc[0], 0);
	assert_int_equal(rc[1], STORE_E_DENIED);
	assert_int_equal(email(&w, r.email).flags, STORE_SEEN | STORE_FLAGGED);
	world_end(&w);
}

static void
test_mime(void **state)
{
	struct world w = world(state);
	struct store_added r;
	struct mime_msg *m;

	assert_int_equal(add_to(&w, "Subject: hello\nContent-Type: text/html\n"
	    "\n<p>Words</p>\n", &w.inbox, 1, 0, &r), 0);
	assert_int_equal(store_email_mime(w.st, w.a, email(&w, r.email).ref,
	    &m), 0);
	assert_true(slice_eq(m->root->env->subject, S("hello")));
	assert_int_equal(m->size, r.size);
	assert_true(slice_eq(m->preview, S("Words")));
	world_end(&w);
}

/* An upload has no record beside it; imported, it gets one. */
static void
test_upload(void **state)
{
	static const char text[] = "Subject: up\r\nMessage-ID: <u@x>\r\n\r\nx";
	struct world w = world(state);
	struct store_spool *sp = store_spool_new(&w.f->conf, false, 0);
	struct store_blobid id, bare;
	struct store_new v = { .mailboxes = &w.inbox, .n_mailboxes = 1 };
	struct store_added r;
	struct store_blob *b;
	struct mime_msg *m;
	struct slice s;

	store_spool_add(sp, text, strlen(text));
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_upload(w.st, sp, &id), 0);
	assert_int_equal(store_upload(w.st, sp, &id), 0);
	store_spool_free(&sp);
	fixture_check(w.st);
	v.blob = &id;
	assert_int_equal(store_email_add(w.st, &v, 1, &r, NULL), 0);
	assert_memory_equal(r.blob.h, id.h, sizeof(id.h));
	assert_int_equal(store_email_mime(w.st, w.a, email(&w, r.email).ref,
	    &m), 0);
	assert_true(slice_eq(m->root->env->message_id, S("<u@x>")));
	/* With bare LF: what is imported is another blob, with CRLF. */
	sp = store_spool_new(&w.f->conf, false, 0);
	store_spool_add(sp, "Subject: lf\n\nx\n", 15);
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_upload(w.st, sp, &bare), 0);
	store_spool_free(&sp);
	v.blob = &bare;
	assert_int_equal(store_email_add(w.st, &v, 1, &r, NULL), 0);
	assert_int_equal(r.size, 18);
	assert_int_equal(store_blob_open(w.st, &bare, &b), 0);
	assert_int_equal(store_blob_octets(b, &s), 0);
	assert_true(slice_eq(s, S("Subject: lf\n\nx\n")));
	store_blob_close(&b);
	world_end(&w);
}

static void
test_blobid(void **state)
{
	struct store_blobid b, c;
	char text[STORE_BLOBID_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(b.h); i++)
		b.h[i] = (unsigned char)(i * 37 + 200);
	store_blobid_text(&b, text);
	assert_int_equal(strlen(text), STORE_BLOBID_LEN);
	assert_int_equal(store_blobid_from(S(text), &c), 0);
	assert_memory_equal(b.h, c.h, sizeof(b.h));
	for (int i = 0; i < STORE_BLOBID_LEN; i++) {
		char was = text[i];

		text[i] = i ? '+' : 'H';
		assert_int_equal(store_blobid_from(S(text), &c), -1);
		text[i] = was;
		assert_int_equal(store_blobid_from(slice_make(text,
		    (size_t)i), &c), -1);
	}
}

/* ---- threads ----------------------------------------------------------- */

static void
test_threads(void **state)
{
	/* want: the number of the message whose thread it joins. */
	static const struct { const char *text; int want; } t[] = {
		{ "Message-ID: <a@x>\nSubject: one\n\n", 0 },
		{ "Message-ID: <b@x>\nIn-Reply-To: <a@x>\nSubject: Re: one\n\n",
		    0 },
		{ "Message-ID: <c@x>\nReferences: <q@x> <b@x>\n"
		    "Subject: [list] Fwd: ONE\n\n", 0 },
		/* Another subject: another thread. */
		{ "Message-ID: <d@x>\nReferences: <a@x>\nSubject: two\n\n", 3 },
		/* White space doesn't matter. */
		{ "Message-ID: <e@x>\nReferences: <d@x>\nSubject: t w o\n\n",
		    3 },
		/* No ids, the same subject. */
		{ "Subject: one\n\n", 5 },
		/* A reply that comes before what it replies to. */
		{ "Message-ID: <g@x>\nReferences: <h@x>\nSubject: re: z\n\n",
		    6 },
		{ "Message-ID: <h@x>\nSubject: z\n\n", 6 },
		/* Only the reference in common. */
		{ "Message-ID: <i@x>\nReferences: <h@x>\nSubject: z\n\n", 6 },
		{ "Message-ID: <j@x>\nReferences: <q@x>\nSubject: one\n\n", 0 },
		{ "Message-ID: <j@x>\nSubject:\n\n", 10 },
		{ "Message-ID: <j@x>\n\n", 10 },
	};
	enum { N = sizeof(t) / sizeof(t[0]) };
	struct world w = world(state);
	struct store_added r[N];
	uint64_t *id;
	size_t n;

	for (int i = 0; i < N; i++) {
		assert_int_equal(add_to(&w, t[i].text, &w.inbox, 1, 0, &r[i]),
		    0);
		assert_int_equal(r[i].thread, r[t[i].want].email);
	}
	assert_int_equal(store_thread_get(w.st, w.a, r[0].thread, &id, &n), 0);
	assert_int_equal(n, 4);
	assert_true(id[0] == r[0].email && id[3] == r[9].email);
	assert_int_equal(box(&w, w.inbox).threads, 5);
	/* A thread outlives its first Email, and keeps its id. */
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, &r[0].uid, 1,
	    NULL), 0);
	assert_int_equal(store_thread_get(w.st, w.a, r[0].thread, &id, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(store_thread_get(w.st, w.a, r[5].thread, &id, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, &r[5].uid, 1,
	    NULL), 0);
	assert_int_equal(store_thread_get(w.st, w.a, r[5].thread, &id, &n),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_thread_get(w.st, w.a, r[1].email, &id, &n),
	    STORE_E_NOTFOUND);
	world_end(&w);
}

/* Number k is the k % 3rd of its thread; every 50th is in the box. */
static void
add_threes(struct world *w, int n, struct store_added *r)
{
	struct store_new *v = xcalloc((size_t)n, sizeof(*v));
	char text[120];

	for (int k = 0; k < n; k++) {
		snprintf(text, sizeof(text), "Message-ID: <%d@x>\n"
		    "References: <%d@x>\nSubject: %d\n\n", k, k - k % 3,
		    k / 3);
		v[k] = (struct store_new){ .n_mailboxes = 1,
			.mailboxes = k % 50 == 7 ? &w->box : &w->inbox,
			.spool = spool(w, text) };
	}
	assert_int_equal(store_email_add(w->st, v, (size_t)n, r, NULL), 0);
	for (int k = 0; k < n; k++)
		store_spool_free(&v[k].spool);
	xfree(v);
}

/* Members of many threads go at once; those between them stay. */
static void
test_thread_many(void **state)
{
	enum { N = 900 };
	struct world w = world(state);
	struct store_added r[N];
	uint32_t uid[N];
	uint64_t *id;
	size_t n = 0, got;
	int stay[N / 3] = { 0 };

	add_threes(&w, N, r);
	/* Every tenth: so many stay that they aren't all looked at. */
	for (int k = 0; k < N; k++)
		if (k % 10 == 0)
			uid[n++] = r[k].uid;
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, uid, n, NULL),
	    0);
	fixture_check(w.st);
	/* All of the first 600 but three threads and what is in the box. */
	n = 0;
	for (int k = 0; k < N; k++)
		if (k % 50 != 7 && k % 10 != 0 && k < 600 &&
		    (k < 300 || k >= 309))
			uid[n++] = r[k].uid;
		else if (k % 10 != 0)
			stay[k / 3]++;
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, uid, n, NULL),
	    0);
	for (int twice = 0; twice < 2; twice++) {
		fixture_check(w.st);
		for (int t = 0; t < N / 3; t++) {
			int rc = store_thread_get(w.st, w.a, r[t * 3].thread,
			    &id, &got);

			assert_int_equal(rc, stay[t] ? 0 : STORE_E_NOTFOUND);
			if (rc == 0)
				assert_int_equal(got, stay[t]);
		}
		assert_true(store_idle(w.st, true) >= 0);
	}
	world_end(&w);
}

/* An id of several threads: the oldest that lives. */
static void
test_thread_oldest(void **state)
{
	struct world w = world(state);
	struct store_added dead, old, young, r;

	assert_int_equal(add_to(&w, "Message-ID: <p@x>\n\n1", &w.inbox, 1, 0,
	    &dead), 0);
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, &dead.uid, 1,
	    NULL), 0);
	assert_int_equal(add_to(&w, "Message-ID: <p@x>\n\n2", &w.inbox, 1, 0,
	    &old), 0);
	assert_int_equal(old.thread, old.email);
	assert_int_equal(add_to(&w, "Message-ID: <q@x>\n\n", &w.inbox, 1, 0,
	    &young), 0);
	assert_int_equal(young.thread, young.email);
	assert_int_equal(add_to(&w, "References: <q@x> <p@x>\n\n", &w.inbox,
	    1, 0, &r), 0);
	assert_int_equal(r.thread, old.thread);
	assert_int_equal(add_to(&w, "References: <p@x> <q@x>\n\n3", &w.inbox,
	    1, 0, &r), 0);
	assert_int_equal(r.thread, old.thread);
	world_end(&w);
}

/* The example of RFC 8621 section 2, and the trash going elsewhere. */
static void
test_trash_counts(void **state)
{
	struct world w = world(state);
	struct store_mailbox_set off = { .set_role = true };
	struct store_mailbox_set on = { .set_role = true,
	    .role = STORE_ROLE_TRASH };
	struct store_added r;

	assert_int_equal(add_to(&w, "Message-ID: <a@x>\n\n", &w.inbox, 1,
	    STORE_SEEN, &r), 0);
	assert_int_equal(add_to(&w, "Message-ID: <b@x>\nReferences: <a@x>\n\n",
	    &w.trash, 1, 0, &r), 0);
	assert_int_equal(box(&w, w.trash).unread_threads, 1);
	assert_int_equal(box(&w, w.inbox).unread_threads, 0);
	assert_int_equal(store_mailbox_update(w.st, w.trash, &off), 0);
	assert_int_equal(box(&w, w.trash).unread_threads, 1);
	assert_int_equal(box(&w, w.inbox).unread_threads, 1);
	fixture_check(w.st);
	assert_int_equal(store_mailbox_update(w.st, w.inbox, &on),
	    STORE_E_DENIED);
	assert_int_equal(store_mailbox_update(w.st, w.box, &on), 0);
	assert_int_equal(box(&w, w.inbox).unread_threads, 1);
	assert_int_equal(store_mailbox_update(w.st, w.box, &off), 0);
	assert_int_equal(store_mailbox_update(w.st, w.trash, &on), 0);
	assert_int_equal(box(&w, w.inbox).unread_threads, 0);
	/* Also in the inbox: then it is seen there. */
	assert_int_equal(store_msgs_copy(w.st, w.a, w.trash,
	    (uint32_t[]){ 1 }, 1, w.box, false, NULL, NULL, NULL), 0);
	assert_int_equal(box(&w, w.inbox).unread_threads, 1);
	assert_int_equal(store_mailbox_destroy(w.st, w.trash, true), 0);
	assert_int_equal(box(&w, w.inbox).unread_threads, 1);
	world_end(&w);
}

/* ---- changes ----------------------------------------------------------- */

static void
test_changes_bounds(void **state)
{
	struct world w = world(state);
	struct store_change *c;
	uint64_t s, now;
	size_t n;
	bool more;

	add(&w, 1, 0);
	now = store_modseq(w.st);
	assert_int_equal(store_changes(w.st, w.a, STORE_T_EMAIL, now, 0, &c,
	    &n, &s, &more), 0);
	assert_true(n == 0 && s == now && !more);
	assert_int_equal(store_changes(w.st, w.a, STORE_T_EMAIL, now + 1, 0,
	    &c, &n, &s, &more), STORE_E_INVALID);
	assert_int_equal(store_changes(w.st, w.a, STORE_T_EMAIL, UINT64_MAX, 0,
	    &c, &n, &s, &more), STORE_E_INVALID);
	assert_int_equal(store_changes(w.st, w.a, STORE_T_MAILBOX, 0, 0, &c,
	    &n, &s, &more), 0);
	assert_int_equal(n, 3);
	assert_int_equal(c[0].kind, STORE_CREATED);
	assert_int_equal(store_changes(w.st, w.a, STORE_T_MAILBOX, now - 1, 0,
	    &c, &n, &s, &more), 0);
	assert_true(n == 1 && c[0].id == w.inbox && c[0].counts_only);
	world_end(&w);
}

/* One change of very many: told in pages that miss and repeat nothing. */
static void
test_changes_pages(void **state)
{
	struct world w = world(state);
	struct store_change *c;
	uint64_t s = store_modseq(w.st), told[500];
	uint32_t uid[500];
	size_t n, total = 0, created = 0;
	bool more;

	add_many(&w, w.inbox, 0, 500);
	do {
		assert_int_equal(store_changes(w.st, w.a, STORE_T_EMAIL, s, 7,
		    &c, &n, &s, &more), 0);
		assert_true(n > 0 && n <= 7);
		for (size_t i = 0; i < n; i++) {
			if (c[i].kind != STORE_CREATED)
				continue;
			for (size_t k = 0; k < created; k++)
				assert_true(told[k] != c[i].id);
			assert_true(created < 500);
			told[created++] = c[i].id;
		}
		total += n;
		/* Those told and those to come change meanwhile. */
		if (total == 70) {
			for (uint32_t i = 0; i < 500; i++)
				uid[i] = i + 1;
			assert_int_equal(store_msgs_flag(w.st, w.a, w.inbox,
			    uid, 500, STORE_FLAG_ADD, STORE_SEEN, ALL, NULL,
			    NULL, NULL), 0);
		}
	} while (more && c[n - 1].kind == STORE_CREATED);
	/* All 500 as created, then the 70 again as updated. */
	assert_int_equal(created, 500);
	while (more) {
		assert_int_equal(store_changes(w.st, w.a, STORE_T_EMAIL, s, 7,
		    &c, &n, &s, &more), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(c[i].kind, STORE_UPDATED);
		total += n;
	}
	assert_true(total >= 570 && total <= 1000);
	assert_int_equal(s, store_modseq(w.st));
	world_end(&w);
}

static void
test_type_modseq(void **state)
{
	struct world w = world(state);
	uint64_t e, m, t, before;

	add(&w, 1, 0);
	assert_int_equal(store_type_modseq(w.st, STORE_T_EMAIL, &e), 0);
	assert_int_equal(store_type_modseq(w.st, STORE_T_MAILBOX, &m), 0);
	assert_int_equal(store_type_modseq(w.st, STORE_T_THREAD, &t), 0);
	before = store_modseq(w.st);
	assert_true(e == before && m == before && t == before);
	assert_int_equal(flag(&w, w.inbox, 1, STORE_FLAG_ADD,
	    STORE_FLAGGED), 0);
	assert_int_equal(store_type_modseq(w.st, STORE_T_EMAIL, &e), 0);
	assert_int_equal(store_type_modseq(w.st, STORE_T_MAILBOX, &m), 0);
	assert_int_equal(store_type_modseq(w.st, STORE_T_THREAD, &t), 0);
	assert_true(e == before + 1 && m == before && t == before);
	world_end(&w);
}

/* ---- upkeep ------------------------------------------------------------ */

static void
test_sweep(void **state)
{
	struct world w;
	struct store_added r;
	struct store_blob *b;
	struct store_spool *sp;
	struct store_blobid up;

	((struct fixture *)*state)->conf.retention_s = 1000;
	((struct fixture *)*state)->conf.upload_ttl_s = 1000;
	w = world(state);
	r = add(&w, 1, 0);
	sp = store_spool_new(&w.f->conf, false, 0);
	store_spool_add(sp, "upload", 6);
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_upload(w.st, sp, &up), 0);
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, &r.uid, 1,
	    NULL), 0);
	fixture_check(w.st);
	assert_true(store_idle(w.st, true) >= 0);
	fixture_check(w.st);
	/* Kept for the retention time. */
	assert_int_equal(store_blob_open(w.st, &r.blob, &b), 0);
	store_blob_close(&b);
	w.f->conf.clock_offset += 2000;
	assert_int_equal(store_idle(w.st, true), 1);
	assert_int_equal(store_blob_open(w.st, &r.blob, &b),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_blob_open(w.st, &up, &b), STORE_E_NOTFOUND);
	fixture_check(w.st);
	/* The same content again is stored again. */
	assert_int_equal(store_upload(w.st, sp, &up), 0);
	store_spool_free(&sp);
	r = add(&w, 1, 0);
	assert_int_equal(store_blob_open(w.st, &r.blob, &b), 0);
	store_blob_close(&b);
	assert_int_equal(store_blob_open(w.st, &up, &b), 0);
	store_blob_close(&b);
	/* A blob that comes back before it is due stays. */
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, &r.uid, 1,
	    NULL), 0);
	assert_true(store_idle(w.st, true) >= 0);
	r = add(&w, 1, 0);
	w.f->conf.clock_offset += 2000;
	assert_true(store_idle(w.st, true) >= 0);
	assert_int_equal(store_blob_open(w.st, &r.blob, &b), 0);
	store_blob_close(&b);
	world_end(&w);
}

static void
test_history(void **state)
{
	struct world w;
	struct store_change *c;
	uint64_t s, since;
	uint32_t uid[2] = { 1, 2 }, *gone;
	size_t n;
	bool more;

	((struct fixture *)*state)->conf.history_s = 1;
	((struct fixture *)*state)->conf.retention_s = 1000;
	w = world(state);
	add(&w, 1, 0);
	add(&w, 2, 0);
	since = store_modseq(w.st);
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, uid, 1, NULL),
	    0);
	assert_int_equal(store_changes(w.st, w.a, STORE_T_EMAIL, since, 0, &c,
	    &n, &s, &more), 0);
	w.f->conf.clock_offset += 2000;
	assert_int_equal(store_idle(w.st, true), 1);
	assert_int_equal(store_changes(w.st, w.a, STORE_T_EMAIL, since, 0, &c,
	    &n, &s, &more), STORE_E_TOOOLD);
	assert_int_equal(store_changes(w.st, w.a, STORE_T_MAILBOX, since, 0,
	    &c, &n, &s, &more), STORE_E_TOOOLD);
	assert_int_equal(store_vanished(w.st, w.a, w.inbox, since, &gone, &n),
	    STORE_E_TOOOLD);
	assert_int_equal(store_changes(w.st, w.a, STORE_T_EMAIL, since + 1, 0,
	    &c, &n, &s, &more), 0);
	assert_int_equal(store_vanished(w.st, w.a, w.inbox, since + 1, &gone,
	    &n), 0);
	world_end(&w);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_mime),
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_blobid),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_thread_many),
		cmocka_unit_test(test_thread_oldest),
		cmocka_unit_test(test_trash_counts),
		cmocka_unit_test(test_changes_bounds),
		cmocka_unit_test(test_changes_pages),
		cmocka_unit_test(test_type_modseq),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_history),
	};

	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
