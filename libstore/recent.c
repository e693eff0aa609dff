/*
 * libstore/recent.c - which messages were shown as \Recent (RFC 3501 2.3.2)
 *
 * Kept beside the rows, in a file of small slots, because it may cost neither a
 * flush nor a change of the account: see doc/storage.md.
 */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

enum { SLOT = 16, SLOT_MAX = 65536 / SLOT };

static void
slot_put(unsigned char *p, uint64_t mailbox, uint32_t uid)
{
	uint32_t crc;

	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(mailbox >> (56 - 8 * i));
	for (int i = 0; i < 4; i++)
		p[8 + i] = (unsigned char)(uid >> (24 - 8 * i));
	crc = crc32c(0, p, 12);
	for (int i = 0; i < 4; i++)
		p[12 + i] = (unsigned char)(crc >> (24 - 8 * i));
}

/* Is it the mailbox's slot?  *uid_r: 0 where it is damaged. */
static bool
slot_get(const unsigned char *p, uint64_t mailbox, uint32_t *uid_r)
{
	unsigned char same[SLOT];
	uint32_t uid = 0;

	for (int i = 0; i < 4; i++)
		uid = uid << 8 | p[8 + i];
	slot_put(same, mailbox, uid);
	if (memcmp(p, same, 8) != 0)
		return false;
	*uid_r = memcmp(p, same, SLOT) == 0 ? uid : 0;
	return true;
}

static uint32_t
recent_in(int fd, uint64_t mailbox, uint32_t uidnext, bool claim)
{
	unsigned char *p, slot[SLOT];
	uint32_t uid = 0;
	struct stat sb;
	size_t n, i;

	if (fstat(fd, &sb) < 0 || sb.st_size > SLOT * SLOT_MAX ||
	    sb.st_size < 0) {
		(void)!ftruncate(fd, 0);
		sb.st_size = 0;
	}
	n = (size_t)sb.st_size / SLOT;
	p = xmalloc(n * SLOT + 1);
	if (io_pread_full(fd, p, n * SLOT, 0) < 0)
		n = 0;
	for (i = 0; i < n && !slot_get(p + i * SLOT, mailbox, &uid); i++)
		;
	xfree(p);
	if (uid == 0 || uid > uidnext)
		uid = 1;
	if (claim && uid < uidnext) {
		slot_put(slot, mailbox, uidnext);
		(void)io_pwrite_full(fd, slot, SLOT, (off_t)(i * SLOT));
	}
	return uid;
}

uint32_t
store_recent(struct store *st, uint64_t mailbox, uint32_t uidnext, bool claim)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	uint32_t uid = 1;
	char *path;
	int fd;

	if (!st->dir)
		return 1;
	path = xasprintf("%s/recent", st->dir);
	fd = io_open(path, (claim ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	xfree(path);
	if (fd < 0)
		return 1;
	/* Nobody waits: two sessions may then both show it as recent. */
	if (claim && fcntl(fd, F_OFD_SETLK, &fl) < 0)
		claim = false;
	uid = recent_in(fd, mailbox, uidnext, claim);
	io_close(&fd);
	return uid;
}
