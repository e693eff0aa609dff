/*
 * t/unit/test-store-repair.c - damage at random: found, never believed, mended
 *
 * An account of which everything is known is damaged in many ways.  Whatever is
 * read then is right or an error, the check finds it, and the repaired account
 * has all that was not hit.  Usage: test-store-repair [SEED [TIMES]].
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/sys.h"
#include "libstore/store.h"
#include "t/unit/kv-model.h"

enum { FILES = 32, BOXES = 12, MAIL = 1500, NAME = 40 };

static uint64_t seed;
static unsigned times = 40;
static char top[200];
static char dir[240];
static struct store_conf conf;

static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 20) % n);
}

/* ---- what is known ------------------------------------------------------- */

struct known {			/* a membership */
	uint64_t mailbox, email, flags;
	uint32_t uid;
	unsigned char hash[32];
};
struct model {
	struct store_mailbox box[BOXES];
	char name[BOXES][NAME];
	size_t n_box, n;
	struct known m[MAIL];
	/* Contents that were destroyed: a while ago, and long ago. */
	unsigned char expunged[200][32], swept[200][32];
	size_t n_expunged, n_swept;
};
static struct model model;

static void
hash_of(struct slice s, unsigned char out[32])
{
	struct sha256 *h = sha256_new();

	sha256_add(h, s.p, s.n);
	sha256_finish(&h, out);
}

struct reading {
	struct store *st;
	struct model *m;
	uint64_t mailbox;
	int rc;			/* the first failure */
};

static int
read_one(void *arg, const struct store_msg_info *i)
{
	struct reading *r = arg;
	struct known *k;
	struct store_blob *b;
	struct slice s;
	int rc;

	if (r->m->n == MAIL)
		return 0;
	k = &r->m->m[r->m->n];
	*k = (struct known){ .mailbox = r->mailbox, .email = i->email,
		.flags = i->flags, .uid = i->uid };
	if ((rc = store_blob_open_ref(r->st, i->ref, &b)) == 0) {
		if ((rc = store_blob_octets(b, &s)) == 0)
			hash_of(s, k->hash);
		store_blob_close(&b);
	}
	if (rc == 0)
		r->m->n++;
	else if (r->rc == 0)
		r->rc = rc;
	return 0;
}

/* All that can be read; the first error, or 0. */
static int
read_all(struct store *st, struct model *m)
{
	struct store_range all = { 1, UINT32_MAX };
	struct reading r = { .st = st, .m = m };
	struct store_mailbox *box;
	struct arena *a = arena_new(0);
	size_t n = 0;
	int rc;

	memset(m, 0, offsetof(struct model, expunged));
	if ((rc = store_mailbox_list(st, a, &box, &n)) < 0)
		r.rc = rc;
	for (size_t i = 0; rc == 0 && i < n && i < BOXES; i++) {
		m->box[i] = box[i];
		snprintf(m->name[i], NAME, "%.*s", (int)box[i].name.n,
		    box[i].name.p);
		m->n_box++;
		r.mailbox = box[i].id;
		rc = store_msg_scan(st, box[i].id, &all, 1, read_one, &r);
		if (rc < 0 && r.rc == 0)
			r.rc = rc;
		rc = 0;
	}
	arena_free(&a);
	return r.rc;
}

/* ---- the account --------------------------------------------------------- */

static void
mail_text(struct buf *b, unsigned k, size_t size)
{
	buf_reset(b);
	buf_printf(b, "Message-ID: <%u@t>\r\n", k);
	if (k % 4)
		buf_printf(b, "References: <%u@t>\r\n", k - k % 4);
	buf_printf(b, "Subject: mail of thread %u\r\n\r\n", k / 4);
	/* Some can be compressed, some can't. */
	for (uint32_t x = k + 1; b->n < size;) {
		x = x * 1103515245 + 12345;
		if (k % 2)
			buf_addc(b, (char)(0x80 | x >> 20));
		else
			buf_printf(b, "%08x%s", x,
			    b->n % 70 < 8 ? "\r\n" : " ");
	}
}

static void
add(struct store *st, unsigned k, const uint64_t *mb, size_t n,
    uint64_t flags)
{
	struct store_new v = { .mailboxes = mb, .n_mailboxes = n,
		.flags = flags, .received_at = 1000000 + k };
	struct buf b;

	buf_init(&b, 1 << 20);
	mail_text(&b, k, 200 + k % 7 * 900);
	v.spool = store_spool_new(&conf, true, 0);
	assert_int_equal(store_spool_add(v.spool, b.p, b.n), 0);
	assert_int_equal(store_spool_done(v.spool), 0);
	assert_int_equal(store_email_add(st, &v, 1, NULL, NULL), 0);
	store_spool_free(&v.spool);
	buf_release(&b);
}

static void
upload(struct store *st)
{
	struct store_spool *sp = store_spool_new(&conf, false, 0);
	struct store_blobid id;

	assert_int_equal(store_spool_add(sp, "an upload", 9), 0);
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_upload(st, sp, &id), 0);
	store_spool_free(&sp);
}

/* Destroys UIDs [from, to) of a mailbox, whose contents are noted. */
static void
destroy(struct store *st, uint64_t mb, uint32_t from, uint32_t to,
    unsigned char (*gone)[32], size_t *n_r)
{
	static struct model now;
	struct arena *a = arena_new(0);

	assert_int_equal(read_all(st, &now), 0);
	for (size_t i = 0; i < now.n; i++) {
		const struct known *k = &now.m[i];

		if (k->mailbox != mb || k->uid < from || k->uid >= to)
			continue;
		memcpy(gone[(*n_r)++], k->hash, 32);
		assert_int_equal(store_msgs_remove(st, a, mb, &k->uid, 1,
				     NULL), 0);
	}
	arena_free(&a);
}

static void
make(void)
{
	struct store_mailbox_set s = { .set_name = true };
	uint64_t mb[4], bit, two[2];
	struct store *st;
	struct arena *a = arena_new(0);
	unsigned k = 0;

	conf.mail_dir = top;
	assert_int_equal(store_account_create(&conf, "x"), 0);
	assert_int_equal(store_open(&conf, "x", &st), 0);
	for (int i = 0; i < 4; i++) {
		s.name = slice_str(((const char *[]){ "Archive", "Lists",
		    "Trash", "Empty" })[i]);
		s.set_role = i == 2;
		s.role = STORE_ROLE_TRASH;
		assert_int_equal(store_mailbox_create(st, &s, &mb[i]), 0);
	}
	assert_int_equal(store_keyword_bit(st, slice_str("word"), true, &bit),
	    0);
	for (; k < 300; k++)
		add(st, k, &mb[k % 3], 1, k % 5 ? 0 : STORE_SEEN | bit);
	destroy(st, mb[0], 1, 20, model.swept, &model.n_swept);
	/* Long after. */
	conf.clock_offset = 400 * 86400;
	for (int i = 0; i < 4; i++)
		assert_true(store_idle(st, true) >= 0);
	conf.clock_offset += 10 * 86400;
	for (int i = 0; i < 4; i++)
		assert_true(store_idle(st, true) >= 0);
	two[0] = mb[0];
	two[1] = mb[1];
	for (; k < 340; k++)
		add(st, k, two, 2, STORE_FLAGGED);
	upload(st);
	destroy(st, mb[1], 1, 10, model.expunged, &model.n_expunged);
	assert_true(store_idle(st, true) >= 0);
	/* What only the journal and the packs have. */
	for (; k < 360; k++)
		add(st, k, &mb[k % 2], 1, 0);
	destroy(st, mb[1], 20, 25, model.expunged, &model.n_expunged);
	for (uint32_t uid = 30; uid < 60; uid++)
		(void)store_msgs_flag(st, a, mb[0], &uid, 1, STORE_FLAG_ADD,
		    STORE_ANSWERED, UINT64_MAX, NULL, NULL, NULL);
	assert_int_equal(read_all(st, &model), 0);
	assert_true(model.n > 300 && model.n_swept > 10 &&
	    model.n_expunged > 0);
	store_close(&st);
	arena_free(&a);
}

/* ---- its files ----------------------------------------------------------- */

struct file {
	char name[NAME];
	char *p;
	size_t n;
};
static struct file file[FILES];
static size_t n_file;

static void
files_keep(void)
{
	char path[300];
	struct dirent *de;
	struct stat sb;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while ((de = readdir(d))) {
		struct file *f = &file[n_file];
		int fd;

		if (de->d_name[0] == '.')
			continue;
		snprintf(f->name, NAME, "%.39s", de->d_name);
		snprintf(path, sizeof(path), "%s/%s", dir, f->name);
		fd = open(path, O_RDONLY);
		assert_true(fd >= 0 && fstat(fd, &sb) == 0);
		f->n = (size_t)sb.st_size;
		f->p = xmalloc(f->n + 1);
		assert_int_equal(io_pread_full(fd, f->p, f->n, 0), 0);
		close(fd);
		assert_true(++n_file < FILES);
	}
	closedir(d);
}

static void
file_write(const struct file *f)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, f->name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(io_pwrite_full(fd, f->p, f->n, 0), 0);
	close(fd);
}

static void
files_restore(void)
{
	model_rmtree(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	for (size_t i = 0; i < n_file; i++)
		file_write(&file[i]);
}

/* ---- damage -------------------------------------------------------------- */

enum kind { BITS, ZERO, CUT, REMOVE, SWAP, APPEND, KINDS };
static const char *const kind_name[] = { "bits", "zero", "cut", "remove",
	"swap", "append" };

struct damage {
	const struct file *f;
	enum kind kind;
	bool pack, journal, base;
	char text[200];
};

static void
flip(struct file *f, struct damage *d)
{
	uint32_t n = 1 + (rnd(3) == 0 ? rnd(20) : 0);

	while (n-- > 0) {
		size_t at = rnd((uint32_t)f->n);

		/* The journal's header now and then. */
		if (d->journal && rnd(4) == 0)
			at = rnd(112);
		f->p[at] = (char)(f->p[at] ^ 1 << rnd(8));
		snprintf(d->text, sizeof(d->text), "%s: %s, last at %zu",
		    f->name, kind_name[d->kind], at);
	}
}

static void
swap(struct file *f, struct damage *d)
{
	enum { BLOCK = 512 };
	size_t n = f->n / BLOCK, a, b;
	char t[BLOCK];

	if (n < 2)
		return;
	a = rnd((uint32_t)n) * (size_t)BLOCK;
	b = rnd((uint32_t)n) * (size_t)BLOCK;
	memcpy(t, f->p + a, BLOCK);
	memcpy(f->p + a, f->p + b, BLOCK);
	memcpy(f->p + b, t, BLOCK);
	snprintf(d->text, sizeof(d->text), "%s: swap %zu and %zu", f->name, a,
	    b);
}

static void
change(struct file *f, struct damage *d)
{
	size_t at = rnd((uint32_t)f->n), n;

	snprintf(d->text, sizeof(d->text), "%s: %s at %zu", f->name,
	    kind_name[d->kind], at);
	switch (d->kind) {
	case BITS:
		flip(f, d);
		break;
	case ZERO:
		at -= at % 4096;
		n = f->n - at < 4096 ? f->n - at : 4096;
		memset(f->p + at, 0, n);
		break;
	case CUT:
		f->n = at;
		break;
	case SWAP:
		swap(f, d);
		break;
	default:
		n = 1 + rnd(300);
		f->p = xrealloc(f->p, f->n + n);
		for (size_t i = 0; i < n; i++)
			f->p[f->n + i] = (char)(1 + rnd(255));
		f->n += n;
	}
}

static void
damage(struct damage *d)
{
	const struct file *f = &file[rnd((uint32_t)n_file)];
	struct file copy = *f;
	char path[300];

	memset(d, 0, sizeof(*d));
	while (strncmp(f->name, "pack.", 5) != 0 &&
	    strncmp(f->name, "base.", 5) != 0 &&
	    strcmp(f->name, "journal") != 0)
		f = &file[rnd((uint32_t)n_file)];
	copy = *f;
	d->f = f;
	d->pack = f->name[0] == 'p';
	d->base = f->name[0] == 'b';
	d->journal = f->name[0] == 'j';
	d->kind = (enum kind)rnd(KINDS);
	if (d->kind == REMOVE) {
		snprintf(path, sizeof(path), "%s/%s", dir, f->name);
		snprintf(d->text, sizeof(d->text), "%s: removed", f->name);
		assert_int_equal(unlink(path), 0);
		return;
	}
	copy.p = xmalloc(f->n + 1);
	memcpy(copy.p, f->p, f->n);
	change(&copy, d);
	file_write(&copy);
	/* Nothing that was there is different: no damage. */
	if (copy.n == f->n && memcmp(copy.p, f->p, f->n) == 0)
		d->f = NULL;
	xfree(copy.p);
}

/* ---- one damage ---------------------------------------------------------- */

static const struct known *
find(const struct model *m, uint64_t mailbox, uint32_t uid)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->m[i].mailbox == mailbox && m->m[i].uid == uid)
			return &m->m[i];
	return NULL;
}

static bool
has_content(const struct model *m, const unsigned char hash[32])
{
	for (size_t i = 0; i < m->n; i++)
		if (memcmp(m->m[i].hash, hash, 32) == 0)
			return true;
	return false;
}

/* Right, as far as it goes? */
static bool
same(const struct model *now, bool whole)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct known *k = &now->m[i];
		const struct known *w = find(&model, k->mailbox, k->uid);

		if (!w || w->email != k->email || w->flags != k->flags ||
		    memcmp(w->hash, k->hash, 32) != 0)
			return false;
	}
	return !whole || (now->n == model.n && now->n_box == model.n_box);
}

static size_t said;

static void
listen(void *arg, const char *text)
{
	(void)arg;
	if (getenv("CULVER_REPAIR_DEBUG"))
		print_message("#   %s\n", text);
	said++;
}

static unsigned n_found, n_lost, n_moved, n_kept, n_exempt,
    n_harmless;

/* An older state may be shown only where nothing can tell: the end of the
 * journal is gone without a trace. */
static bool
exempt(const struct damage *d)
{
	return d->journal && (d->kind == CUT || d->kind == ZERO);
}

/* Reads are right or errors; the check finds what is wrong. */
static void
detect(const struct damage *d)
{
	static struct model now;
	struct store *st;
	size_t n = 0;
	int rc, read = 0;

	rc = store_open(&conf, "x", &st);
	if (rc < 0) {
		n_found++;
		return;
	}
	read = read_all(st, &now);
	if (read == 0 && !same(&now, true) && exempt(d)) {
		n_exempt++;
		store_close(&st);
		return;
	}
	if (!same(&now, read == 0))
		fail_msg("wrong answers: %s", d->text);
	rc = store_check(st, true, listen, NULL, &n);
	if (read < 0 && rc == 0 && n == 0)
		fail_msg("not found: %s", d->text);
	if (rc < 0 || n > 0)
		n_found++;
	else
		n_harmless++;
	store_close(&st);
}

static bool
gone_long(const struct known *k)
{
	for (size_t i = 0; i < model.n_swept; i++)
		if (memcmp(model.swept[i], k->hash, 32) == 0)
			return true;
	return false;
}

static bool
expunged(const struct known *k)
{
	for (size_t i = 0; i < model.n_expunged; i++)
		if (memcmp(model.expunged[i], k->hash, 32) == 0)
			return true;
	return false;
}

static bool
is_recovered(const struct model *now, uint64_t mailbox)
{
	for (size_t i = 0; i < now->n_box; i++)
		if (now->box[i].id == mailbox)
			return strncmp(now->name[i], "Recovered", 9) == 0;
	return false;
}

/* What the repaired account has. */
static void
compare(const struct damage *d, const struct model *now)
{
	size_t lost = 0;

	for (size_t i = 0; i < now->n; i++) {
		const struct known *k = &now->m[i], *w;

		if (gone_long(k))
			fail_msg("came back: %s", d->text);
		if (expunged(k) && !is_recovered(now, k->mailbox) &&
		    !d->journal)
			fail_msg("expunged came back: %s", d->text);
		w = find(&model, k->mailbox, k->uid);
		if (w && memcmp(w->hash, k->hash, 32) != 0 && !d->base)
			fail_msg("another message: %s", d->text);
		if (w && w->flags != k->flags && !d->base && !d->journal)
			fail_msg("other flags: %s", d->text);
	}
	for (size_t i = 0; i < model.n; i++) {
		const struct known *k = &model.m[i];
		const struct known *w = find(now, k->mailbox, k->uid);

		if (w && memcmp(w->hash, k->hash, 32) == 0)
			n_kept++;
		else if (has_content(now, k->hash))
			n_moved++;
		else
			lost++;
	}
	n_lost += (unsigned)lost;
	/* Mail is lost only where its own octets are. */
	if (lost > 0 && !d->pack)
		fail_msg("%zu lost: %s", lost, d->text);
	if (lost > 60 && (d->kind == BITS || d->kind == SWAP ||
	    d->kind == APPEND))
		fail_msg("%zu lost: %s", lost, d->text);
}

/* Repairs it, and reads all. */
static struct store *
mend_only(const struct damage *d, struct model *now)
{
	struct store *st;
	size_t n;
	int rc;

	rc = store_repair(&conf, "x", listen, NULL);
	if (rc < 0)
		fail_msg("not repaired, %d: %s", rc, d->text);
	assert_int_equal(store_open(&conf, "x", &st), 0);
	rc = store_check(st, true, listen, NULL, &n);
	if (rc != 0 || n != 0)
		fail_msg("not in order, %d, %zu: %s", rc, n, d->text);
	assert_int_equal(read_all(st, now), 0);
	return st;
}

static void
mend(const struct damage *d)
{
	static struct model now;
	struct store *st = mend_only(d, &now);
	size_t n;
	int rc;

	compare(d, &now);
	/* It is an account like any other. */
	add(st, 100000, &now.box[0].id, 1, 0);
	assert_true(store_idle(st, true) >= 0);
	rc = store_check(st, true, listen, NULL, &n);
	if (rc != 0 || n != 0)
		fail_msg("not in order later, %d, %zu: %s", rc, n, d->text);
	store_close(&st);
}

static void
test_damages(void **state)
{
	struct damage d;
	char path[300];

	(void)state;
	for (unsigned i = 0; i < times; i++) {
		uint64_t s = seed;

		files_restore();
		damage(&d);
		if (d.f == NULL)
			continue;
		if (getenv("CULVER_REPAIR_DEBUG"))
			print_message("# %llu: %s\n", (unsigned long long)s,
			    d.text);
		detect(&d);
		mend(&d);
		snprintf(path, sizeof(path), "%s/.quarantine", top);
		model_rmtree(path);
	}
	print_message("# %u damages: %u found, %u of no consequence, %u cut "
	    "off without a trace\n", times, n_found, n_harmless, n_exempt);
	print_message("# messages: %u kept, %u kept elsewhere, %u lost\n",
	    n_kept, n_moved, n_lost);
	assert_true(n_found > times / 2);
}

/* ---- killed -------------------------------------------------------------- */

static unsigned die_in;

static int
die(void *arg, enum sys_call c, int fd, size_t *n)
{
	(void)arg;
	(void)fd;
	(void)n;
	if (c >= SYS_PWRITE && c <= SYS_UNLINK && --die_in == 0)
		_exit(7);
	return 0;
}

/* A repair that dies at its nth call that changes something; false: it comes
 * to its end before. */
static bool
repair_killed(unsigned n)
{
	static const struct sys_hook hook = { .before = die };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		die_in = n;
		sys_hook = &hook;
		_exit(store_repair(&conf, "x", listen, NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 7)
		assert_int_equal(WEXITSTATUS(status), 0);
	return WEXITSTATUS(status) == 7;
}

/* Wherever it dies, the account is as before or repaired, and can be. */
static void
test_killed(void **state)
{
	static struct model want, now;
	struct damage d = { .kind = BITS, .pack = true, .base = true,
		.journal = true, .text = "killed" };
	struct store *st;
	unsigned n = 1;
	bool killed = true;

	(void)state;
	for (; killed; n++) {
		files_restore();
		for (size_t i = 0; i < n_file; i++) {
			struct file f = file[i];

			/* Some of everything. */
			f.p = xmalloc(f.n + 1);
			memcpy(f.p, file[i].p, f.n);
			for (size_t k = 1; k < 6; k++)
				f.p[f.n * k / 6] ^= 1;
			file_write(&f);
			xfree(f.p);
		}
		killed = repair_killed(n);
		st = mend_only(&d, &now);
		store_close(&st);
		if (n == 1)
			want = now;
		/* Twice repaired it has lost no more. */
		assert_int_equal(now.n, want.n);
		for (size_t i = 0; i < want.n; i++)
			assert_true(has_content(&now, want.m[i].hash));
	}
	print_message("# killed at %u calls\n", n - 2);
	assert_true(n > 15);
}

/* An account without a fault stays what it is. */
static void
test_whole(void **state)
{
	static struct model now;
	struct store *st;
	size_t n;

	(void)state;
	files_restore();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_repair(&conf, "x", listen, NULL), 0);
		assert_int_equal(store_open(&conf, "x", &st), 0);
		assert_int_equal(store_check(st, true, listen, NULL, &n), 0);
		assert_int_equal(n, 0);
		assert_int_equal(read_all(st, &now), 0);
		assert_true(same(&now, true));
		store_close(&st);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_damages),
	};
	const char *tmp;
	int rc;

	random_bytes(&seed, sizeof(seed));
	if (getenv("CULVER_LONG"))
		times = 1000;
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		times = (unsigned)strtoul(argv[2], NULL, 10);
	seed |= 1;
	(void)log_open("test", "/dev/null", LOG_L_ERR);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	print_message("# seed %llu\n", (unsigned long long)seed);
	tmp = getenv("TMPDIR");
	snprintf(top, sizeof(top), "%s/culver-repair.XXXXXX",
	    tmp ? tmp : "/tmp");
	if (mkdtemp(top) == NULL)
		return 1;
	snprintf(dir, sizeof(dir), "%s/x", top);
	make();
	files_keep();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	model_rmtree(top);
	return rc;
}
