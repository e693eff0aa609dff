/* libstore/kv/salvage-read.c - rows of a damaged base and journal */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/be.h"
#include "libstore/kv/btree.h"
#include "libstore/kv/salvage.h"
#include "libstore/kv/sys.h"

/* ---- the base ----------------------------------------------------------- */

/* A base file in memory, with what is known of its pages. */
struct pages {
	unsigned char *p;
	uint32_t n;
	bool *good;
	bool swap;
};

static int
file_load(struct bdb_kv *b, const char *name, unsigned char **p_r, size_t *n_r)
{
	int fd = sys_openat(b->dirfd, name, O_RDONLY | O_CLOEXEC, 0), rc = 0;
	struct stat st;
	ssize_t n;

	*p_r = NULL;
	*n_r = 0;
	if (fd < 0)
		return errno == ENOENT ? STORE_E_NOTFOUND :
					 kv_fail_sys(&b->kv, "%s", name);
	if (sys_fstat(fd, &st) < 0)
		rc = kv_fail_sys(&b->kv, "%s", name);
	else {
		*p_r = xmalloc((size_t)st.st_size + 1);
		n = sys_pread(fd, *p_r, (size_t)st.st_size, 0);
		if (n < 0) {
			xfree(*p_r);
			*p_r = NULL;
			rc = kv_fail_sys(&b->kv, "%s", name);
		} else
			*n_r = (size_t)n;
	}
	io_close(&fd);
	return rc;
}

/* Which pages are what was written there?  The order of octets is that of the
 * most. */
static uint32_t
pages_judge(struct pages *g, uint64_t gen)
{
	uint32_t votes[2] = { 0, 0 }, bad = 0;
	struct bt_page page;

	for (uint32_t i = 0; i < g->n; i++) {
		const unsigned char *p = g->p + (size_t)i * BT_PAGE;

		g->good[i] = bt_sealed(p, gen);
		for (int swap = 0; swap < 2 && g->good[i]; swap++) {
			page.no = UINT32_MAX;
			(void)bt_page_decode(p, swap != 0, &page);
			votes[swap] += page.no == i;
		}
	}
	g->swap = votes[1] > votes[0];
	for (uint32_t i = 0; i < g->n; i++) {
		page.no = UINT32_MAX;
		(void)bt_page_decode(g->p + (size_t)i * BT_PAGE, g->swap,
		    &page);
		if (!g->good[i] || page.no != i) {
			g->good[i] = false;
			bad++;
		}
	}
	return bad;
}

/* A value in pages of its own: 0, or -1. */
static int
pages_value(const struct pages *g, const struct bt_row *r, struct buf *out)
{
	uint32_t no = r->first, left = r->len;
	struct bt_page page;

	buf_reset(out);
	while (left > 0) {
		if (no == 0 || no >= g->n || !g->good[no] ||
		    bt_page_decode(g->p + (size_t)no * BT_PAGE, g->swap,
			&page) < 0 ||
		    page.type != BT_OVERFLOW || page.len > left)
			return -1;
		buf_add(out, (const char *)page.p + BT_HEAD, page.len);
		left -= page.len;
		no = page.next;
	}
	return out->overflow ? -1 : 0;
}

static size_t
pages_rows(struct salvage *v, const struct pages *g)
{
	struct bt_page page;
	struct bt_row r;
	struct buf val;
	size_t lost = 0;
	int rc;

	buf_init(&val, KV_VALUE_MAX);
	for (uint32_t no = 1; no < g->n; no++) {
		if (!g->good[no] ||
		    bt_page_decode(g->p + (size_t)no * BT_PAGE, g->swap,
			&page) < 0 || page.type != BT_LEAF)
			continue;
		for (unsigned i = 0; i < page.n; i++) {
			if ((rc = bt_row(&page, i, &r)) == 0)
				continue;
			if (rc < 0 ||
			    (r.first != 0 && pages_value(g, &r, &val) < 0)) {
				lost++;
				continue;
			}
			overlay_put(&v->rows, r.key, r.first == 0 ? r.val :
				buf_slice(&val));
		}
	}
	buf_release(&val);
	return lost;
}

/* The copy of the journal's header in the first page. */
static void
head_copy(struct salvage *v, const struct pages *g, uint64_t gen)
{
	struct journal_head h;

	if (v->head_ok || g->n == 0 || !bt_sealed(g->p, gen) ||
	    journal_head_decode(g->p + BASE_HEAD_AT, &h) < 0 || h.gen != gen)
		return;
	v->head = h;
	v->base_ok = true;
}

int
sv_base(struct bdb_kv *b)
{
	struct salvage *v = b->salvage;
	uint64_t gen = v->head_ok ? v->head.gen : v->gen_max;
	struct pages g = { 0 };
	uint32_t bad;
	char name[40];
	size_t n, lost;
	int rc;

	if (gen == 0)
		return 0;
	snprintf(name, sizeof(name), "base.%llu", (unsigned long long)gen);
	rc = file_load(b, name, &g.p, &n);
	if (rc == STORE_E_NOTFOUND) {
		sv_say(v, "%s is missing, and its rows with it", name);
		return 0;
	}
	if (rc < 0)
		return rc;
	if (v->head_ok && n != v->head.base_size)
		sv_say(v, "%s has %zu octets instead of %llu", name, n,
		    (unsigned long long)v->head.base_size);
	g.n = (uint32_t)(n / BT_PAGE);
	g.good = xcalloc((size_t)g.n + 1, sizeof(*g.good));
	bad = pages_judge(&g, gen);
	head_copy(v, &g, gen);
	lost = pages_rows(v, &g);
	/* The first page and unused ones are none of the tree's. */
	if (bad > 0 || lost > 0)
		sv_say(v, "%s: of %u pages, %u are no part of the tree; "
		    "%zu more rows can't be read", name, g.n, bad, lost);
	xfree(g.good);
	xfree(g.p);
	return 0;
}

/* ---- the journal -------------------------------------------------------- */

void
sv_record_add(struct salvage *v, const char *p, const struct record *r)
{
	struct sv_record *s;

	v->rec = sv_grow(v->rec, &v->cap_rec, v->n_rec + 1, sizeof(*v->rec));
	s = &v->rec[v->n_rec];
	s->seq = r->seq;
	s->order = v->n_rec++;
	s->len = r->len;
	s->journal = false;
	s->octets = xmalloc(r->len);
	memcpy(s->octets, p, r->len);
}

/* All whole records, wherever they begin.  They may be anything: the work for
 * checksums that turn out wrong is bounded. */
static void
records_find(struct salvage *v, const char *p, size_t n)
{
	size_t budget = 256 * 1024 * 1024, need, at = JOURNAL_HEAD, bad = 0;
	struct record r;

	while (at + RECORD_HEAD <= n && budget > 0) {
		uint32_t len = be32_get(p + at + 8);

		if (record_decode(slice_make(p + at, n - at), &r, &need)) {
			sv_record_add(v, p + at, &r);
			v->rec[v->n_rec - 1].journal = true;
			if (bad > 0)
				sv_say(v, "journal: %zu octets before %zu are "
				    "damaged", bad, at);
			bad = 0;
			at += r.len;
			continue;
		}
		if (len <= n - at && len <= RECORD_MAX)
			budget -= len < budget ? len : budget;
		bad += 8;
		at += 8;
	}
	if (bad > 0 || at < n)
		sv_say(v, "journal: the last %zu octets are no record",
		    bad + (n - at));
}

int
sv_journal(struct bdb_kv *b)
{
	struct salvage *v = b->salvage;
	unsigned char *p;
	size_t n;
	int rc;

	rc = file_load(b, "journal", &p, &n);
	if (rc == STORE_E_NOTFOUND) {
		sv_say(v, "journal: missing");
		return 0;
	}
	if (rc < 0)
		return rc;
	rc = n < JOURNAL_HEAD ? STORE_E_CORRUPT :
				journal_head_decode(p, &v->head);
	if (rc == STORE_E_VERSION) {
		xfree(p);
		return kv_fail(&b->kv, rc, "journal: of a newer version");
	}
	v->head_ok = v->base_ok = rc == 0;
	if (rc < 0)
		sv_say(v, "journal: its head is damaged");
	records_find(v, (const char *)p, n);
	xfree(p);
	return 0;
}

/* ---- together ----------------------------------------------------------- */

static int
by_seq(const void *a, const void *b)
{
	const struct sv_record *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

struct apply {
	struct salvage *v;
	size_t skipped;
};

static int
apply_op(void *arg, enum op_kind kind, struct slice key, uint32_t off,
    struct slice val)
{
	struct apply *a = arg;

	switch (kind) {
	case OP_PUT:
		overlay_put(&a->v->rows, key, val);
		break;
	case OP_PATCH:
		a->skipped += overlay_patch(&a->v->rows, key, off, val) !=
		    OROW_PATCHED;
		break;
	case OP_DEL:
		overlay_del(&a->v->rows, key);
		break;
	case OP_DEL_RANGE:
		overlay_del_range(&a->v->rows, key, val);
		break;
	}
	return 0;
}

/* Before the first record that is known nothing can be said of the base. */
static uint64_t
first_seq(const struct salvage *v)
{
	if (v->base_ok)
		return v->head.seq;
	if (v->gen_max == 0)
		return 0;
	for (size_t i = 0; i < v->n_rec; i++)
		if (v->rec[i].journal)
			return v->rec[i].seq - 1;
	return v->n_rec > 0 ? v->rec[v->n_rec - 1].seq : 0;
}

int
sv_apply(struct bdb_kv *b)
{
	struct salvage *v = b->salvage;
	struct apply a = { .v = v };
	struct record r;
	uint64_t seq;
	size_t need;

	if (v->n_rec > 0)
		qsort(v->rec, v->n_rec, sizeof(*v->rec), by_seq);
	seq = first_seq(v);
	for (size_t i = 0; i < v->n_rec; i++) {
		struct sv_record *s = &v->rec[i];

		/* In the base, or the same once more: a pack has it too. */
		if (s->seq <= seq || !record_decode(slice_make(s->octets,
			s->len), &r, &need))
			continue;
		if (s->seq != seq + 1)
			sv_say(v, "the changes of modseq %llu to %llu are lost",
			    (unsigned long long)seq + 1,
			    (unsigned long long)s->seq - 1);
		if (ops_each(r.ops, r.n_ops, apply_op, &a) < 0)
			sv_say(v, "the change of modseq %llu makes no sense",
			    (unsigned long long)s->seq);
		seq = s->seq;
	}
	if (a.skipped > 0)
		sv_say(v, "%zu changes of rows that are lost", a.skipped);
	b->s.seq = seq;
	return 0;
}
