/* t/unit/store-model.c - a naive model of an account */
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
#include "t/unit/store-model.h"

uint32_t
md_rnd(struct model *m, uint32_t n)
{
	m->rng ^= m->rng << 13;
	m->rng ^= m->rng >> 7;
	m->rng ^= m->rng << 17;
	return (uint32_t)((m->rng >> 20) % n);
}

static void
content_make(struct model *m, int k)
{
	static const char *const prefix[] = { "", "Re: ", "RE: Fwd: " };
	struct md_content *c = &m->c[k];
	char refs[200] = "";

	c->subject = (int)md_rnd(m, MD_SUBJECTS);
	c->n_ref = k == 0 ? 0 : (int)md_rnd(m, MD_REFS + 1);
	for (int i = 0; i < c->n_ref; i++) {
		int r = k - 1 - (int)md_rnd(m, k < 12 ? (uint32_t)k : 12);
		size_t n = strlen(refs);

		c->ref[i] = r;
		if (m->c[r].subject != c->subject && md_rnd(m, 3))
			c->subject = m->c[r].subject;
		snprintf(refs + n, sizeof(refs) - n, " <%d@test>", r);
	}
	c->text = xasprintf("Message-ID: <%d@test>\r\n%s%s%s"
	    "Subject: %ssubject %d\r\n\r\n%*s\r\n", k,
	    c->n_ref ? "References:" : "", refs, c->n_ref ? "\r\n" : "",
	    prefix[md_rnd(m, 3)], c->subject, (int)(md_rnd(m, 500)), "x");
	c->n = strlen(c->text);
}

void
md_init(struct model *m, uint64_t seed)
{
	memset(m, 0, sizeof(*m));
	m->rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	m->e = xcalloc(MD_EMAILS, sizeof(*m->e));
	for (int k = 0; k < MD_CONTENTS; k++)
		content_make(m, k);
}

static void
snap_free(struct md_snap *s)
{
	xfree(s->e);
	xfree(s->b);
}

void
md_release(struct model *m)
{
	for (int k = 0; k < MD_CONTENTS; k++)
		xfree(m->c[k].text);
	for (size_t i = 0; i < m->n_snap; i++)
		snap_free(&m->snap[i]);
	xfree(m->e);
}

/* ---- what is in it ----------------------------------------------------- */

struct md_box *
md_box(struct model *m, uint64_t id)
{
	for (size_t i = 0; i < m->n_b; i++)
		if (m->b[i].id == id && !m->b[i].gone)
			return &m->b[i];
	return NULL;
}

struct md_box *
md_box_any(struct model *m)
{
	struct md_box *b;

	do
		b = &m->b[md_rnd(m, (uint32_t)m->n_b)];
	while (b->gone);
	return b;
}

size_t
md_boxes(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_b; i++)
		n += !m->b[i].gone;
	return n;
}

bool
md_child(const struct model *m, uint64_t id)
{
	for (size_t i = 0; i < m->n_b; i++)
		if (!m->b[i].gone && m->b[i].parent == id)
			return true;
	return false;
}

struct md_email *
md_email(struct model *m, uint64_t id)
{
	for (size_t k = 0, i = m->hint; k < m->n_e; k++, i++) {
		if (i >= m->n_e)
			i = 0;
		if (m->e[i].id == id && m->e[i].n_in > 0) {
			m->hint = i;
			return &m->e[i];
		}
	}
	return NULL;
}

struct md_in *
md_in(struct md_email *e, uint64_t mb)
{
	for (int i = 0; i < e->n_in; i++)
		if (e->in[i].mb == mb)
			return &e->in[i];
	return NULL;
}

struct md_email *
md_by_uid(struct model *m, uint64_t mb, uint32_t uid)
{
	struct md_in *in;

	for (size_t k = 0, i = m->hint; k < m->n_e; k++, i++) {
		if (i >= m->n_e)
			i = 0;
		if ((in = md_in(&m->e[i], mb)) && in->uid == uid) {
			m->hint = i;
			return &m->e[i];
		}
	}
	return NULL;
}

static int
uid_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

size_t
md_pick(struct model *m, uint64_t mb, uint32_t odds, uint32_t *uid, size_t max)
{
	struct md_in *in;
	size_t n = 0;

	for (size_t i = 0; i < m->n_e && n < max; i++)
		if ((in = md_in(&m->e[i], mb)) && md_rnd(m, odds) == 0)
			uid[n++] = in->uid;
	qsort(uid, n, sizeof(*uid), uid_cmp);
	return n;
}

/* ---- threads ----------------------------------------------------------- */

static bool
has_id(const struct md_content *c, int self, int id)
{
	for (int i = 0; i < c->n_ref; i++)
		if (c->ref[i] == id)
			return true;
	return self == id;
}

/* RFC 8621 section 3: an identical message id, and the same base subject. */
static bool
related(const struct model *m, int j, int k)
{
	const struct md_content *a = &m->c[j], *b = &m->c[k];

	if (a->subject != b->subject)
		return false;
	for (int i = 0; i < a->n_ref; i++)
		if (has_id(b, k, a->ref[i]))
			return true;
	return has_id(b, k, j);
}

static bool
thread_lives(const struct model *m, uint64_t thread)
{
	for (size_t i = 0; i < m->n_e; i++)
		if (m->e[i].thread == thread && m->e[i].n_in > 0)
			return true;
	return false;
}

uint64_t
md_thread_for(const struct model *m, int content)
{
	uint64_t oldest = 0;

	for (size_t i = 0; i < m->n_e; i++) {
		const struct md_email *e = &m->e[i];

		if (!e->swept && related(m, content, e->content) &&
		    (oldest == 0 || e->thread < oldest) &&
		    thread_lives(m, e->thread))
			oldest = e->thread;
	}
	return oldest;
}

/* ---- changing it ------------------------------------------------------- */

struct md_email *
md_add(struct model *m, uint64_t id, uint64_t thread, int content,
    uint64_t flags, int64_t received)
{
	struct md_email *e = &m->e[m->n_e++];

	assert_true(m->n_e < MD_EMAILS);
	memset(e, 0, sizeof(*e));
	e->id = id;
	e->thread = thread;
	e->content = content;
	e->flags = flags;
	e->received = received;
	return e;
}

uint32_t
md_join(struct model *m, struct md_email *e, uint64_t mb, bool deleted)
{
	struct md_box *b = md_box(m, mb);

	assert_true(b && e->n_in < MD_IN);
	e->in[e->n_in++] = (struct md_in){
		.mb = mb, .uid = b->uidnext, .deleted = deleted
	};
	return b->uidnext++;
}

void
md_leave(struct md_email *e, uint64_t mb)
{
	struct md_in *in = md_in(e, mb);

	assert_non_null(in);
	*in = e->in[--e->n_in];
}

void
md_swept(struct model *m)
{
	size_t k = 0;

	/* Those that were swept a while ago are of no interest any more. */
	for (size_t i = 0; i < m->n_e; i++) {
		if (m->e[i].n_in == 0 && m->e[i].swept)
			continue;
		m->e[i].swept = m->e[i].n_in == 0;
		m->e[k++] = m->e[i];
	}
	m->n_e = k;
}

void
md_remember(struct model *m, struct store *st)
{
	struct md_snap *s;

	if (m->n_snap < MD_SNAPS) {
		s = &m->snap[m->n_snap++];
	} else {
		s = &m->snap[md_rnd(m, MD_SNAPS)];
		snap_free(s);
	}
	s->modseq = store_modseq(st);
	s->n_e = m->n_e;
	s->e = xreallocarray(NULL, m->n_e + 1, sizeof(*s->e));
	memcpy(s->e, m->e, m->n_e * sizeof(*s->e));
	s->n_b = m->n_b;
	s->b = xreallocarray(NULL, m->n_b + 1, sizeof(*s->b));
	memcpy(s->b, m->b, m->n_b * sizeof(*s->b));
}
