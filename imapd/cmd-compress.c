/* imapd/cmd-compress.c - COMPRESS=DEFLATE (RFC 4978) */
#include "config.h"

#include <zlib.h>

#include "imapd/imap.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

/*
 * Of a session that idles memory is what counts: 8 KiB of window are nearly as
 * good for protocol text as 32.  The client may use all 32.
 */
enum { LEVEL = 3, WINDOW = -13, MEMORY = 6, CLIENT_WINDOW = -15 };

struct zip {
	z_stream in, out;
};

static voidpf
zip_alloc(voidpf opaque, uInt n, uInt size)
{
	(void)opaque;
	return xcalloc(n, size);
}

static void
zip_free_memory(voidpf opaque, voidpf p)
{
	(void)opaque;
	xfree(p);
}

static uInt
bounded(size_t n)
{
	return n < 1u << 30 ? (uInt)n : 1u << 30;
}

static ssize_t
zip_decode(void *arg, struct slice *in, char *p, size_t room)
{
	z_stream *z = &((struct zip *)arg)->in;
	uInt had = bounded(in->n), space = bounded(room);
	int rc;

	z->next_in = (Bytef *)(uintptr_t)in->p;
	z->avail_in = had;
	z->next_out = (Bytef *)p;
	z->avail_out = space;
	rc = inflate(z, Z_SYNC_FLUSH);
	if (had > z->avail_in)
		*in = slice_make(in->p + (had - z->avail_in),
		    in->n - (had - z->avail_in));
	/* Z_BUF_ERROR: nothing to do; the stream never ends by itself. */
	if (rc != Z_OK && rc != Z_BUF_ERROR)
		return -1;
	return (ssize_t)(space - z->avail_out);
}

static ssize_t
zip_encode(void *arg, struct slice *in, bool flush, char *p, size_t room)
{
	z_stream *z = &((struct zip *)arg)->out;
	uInt had = bounded(in->n), space = bounded(room);

	z->next_in = (Bytef *)(uintptr_t)in->p;
	z->avail_in = had;
	z->next_out = (Bytef *)p;
	z->avail_out = space;
	if (deflate(z, flush ? Z_SYNC_FLUSH : Z_NO_FLUSH) == Z_STREAM_ERROR)
		return -1;
	if (had > z->avail_in)
		*in = slice_make(in->p + (had - z->avail_in),
		    in->n - (had - z->avail_in));
	return (ssize_t)(space - z->avail_out);
}

static void
zip_free(void *arg)
{
	struct zip *z = arg;

	inflateEnd(&z->in);
	deflateEnd(&z->out);
	xfree(z);
}

static const struct sio_filter filter = { zip_decode, zip_encode, zip_free };

/* The answer was put; what follows it is compressed. */
static void
begin(struct imap_cmd *cmd)
{
	struct imap_session *s = cmd->s;

	enc_spill(&s->out);
	(void)sio_add_filter(s->x->io, &filter, cmd->state);
	cmd->state = NULL;
	s->compressed = true;
}

/* If it did not come to that. */
static void
forget(void *p)
{
	struct imap_cmd *cmd = p;

	if (cmd->state != NULL)
		zip_free(cmd->state);
	cmd->state = NULL;
}

enum imap_next
cmd_compress(struct imap_cmd *cmd)
{
	struct imap_args *v = &cmd->args;
	struct zip *z;

	if ((!imap_args_word(v, "DEFLATE") &&
	    !imap_args_expected(v, "DEFLATE")) || !imap_args_end(v))
		return imap_bad_args(cmd);
	if (cmd->s->compressed)
		return imap_no(cmd, "COMPRESSIONACTIVE",
		    "The connection is compressed already");
	z = xcalloc(1, sizeof(*z));
	z->in.zalloc = z->out.zalloc = zip_alloc;
	z->in.zfree = z->out.zfree = zip_free_memory;
	if (inflateInit2(&z->in, CLIENT_WINDOW) != Z_OK ||
	    deflateInit2(&z->out, LEVEL, Z_DEFLATED, WINDOW, MEMORY,
	    Z_DEFAULT_STRATEGY) != Z_OK) {
		log_err("COMPRESS: zlib doesn't begin");
		zip_free(z);
		return imap_no(cmd, "SERVERBUG", "Can't compress");
	}
	cmd->state = z;
	arena_defer(cmd->a, forget, cmd);
	cmd->after = begin;
	return imap_ok(cmd, "DEFLATE from here on");
}
