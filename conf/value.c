/* conf/value.c - one value: from its text into its place, and back */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "conf/conf-int.h"
#include "libbase/text.h"

struct unit {
	char c;
	uint64_t n;
};

/* Largest first; the last is the plain number. */
static const struct unit sizes[] = {
	{ 'T', UINT64_C(1) << 40 }, { 'G', 1 << 30 }, { 'M', 1 << 20 },
	{ 'K', 1 << 10 }, { '\0', 1 }
};
static const struct unit times[] = {
	{ 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 },
	{ 's', 1 }
};
static const struct unit plain[] = { { '\0', 1 } };

static const struct unit *
units(enum conf_kind kind, size_t *n_r)
{
	switch (kind) {
	case CONF_K_SIZE32:
	case CONF_K_SIZE64:
		*n_r = sizeof(sizes) / sizeof(sizes[0]);
		return sizes;
	case CONF_K_TIME32:
		*n_r = sizeof(times) / sizeof(times[0]);
		return times;
	default:
		*n_r = 1;
		return plain;
	}
}

static void *
field(void *base, size_t off)
{
	return (char *)base + off;
}

static const void *
field_const(const void *base, size_t off)
{
	return (const char *)base + off;
}

/* "10M", "90", "2h".  0 or -1. */
static int
number(const struct conf_key *k, const char *text, uint64_t *v_r)
{
	struct slice s = slice_str(text);
	const struct unit *u;
	uint64_t factor = 1, v;
	size_t n;

	u = units(k->kind, &n);
	for (size_t i = 0; i < n && s.n > 0; i++) {
		if (u[i].c != '\0' && s.p[s.n - 1] == u[i].c) {
			factor = u[i].n;
			s.n--;
			break;
		}
	}
	if (slice_uint(s, UINT64_MAX, &v) < 0)
		return -1;
	*v_r = v > UINT64_MAX / factor ? UINT64_MAX : v * factor;
	return 0;
}

static void
print_number(const struct conf_key *k, uint64_t v, struct buf *out)
{
	const struct unit *u;
	size_t n;

	u = units(k->kind, &n);
	for (size_t i = 0; i < n; i++) {
		if (v != 0 && v % u[i].n != 0)
			continue;
		if (v == 0)
			i = n - 1;
		buf_add_u64(out, v / u[i].n);
		if (u[i].c != '\0')
			buf_addc(out, u[i].c);
		return;
	}
}

static void
set_number(struct conf_loader *l, const struct conf_key *k, void *base,
    const char *text, int line)
{
	struct buf min, max;
	uint64_t v;

	if (number(k, text, &v) < 0) {
		conf_fault(l, line, "%s: \"%s\" is not a %s", k->name, text,
		    k->kind == CONF_K_TIME32 ? "time (90, 90s, 15m, 2h, 7d)" :
		    k->kind == CONF_K_SIZE32 || k->kind == CONF_K_SIZE64 ?
					       "size (8192, 8K, 50M, 2G)" :
					       "number");
		return;
	}
	if (v < k->min || v > k->max) {
		buf_init(&min, 64);
		buf_init(&max, 64);
		print_number(k, k->min, &min);
		print_number(k, k->max, &max);
		conf_fault(l, line, "%s: %s is out of range %.*s to %.*s",
		    k->name, text, (int)min.n, min.p, (int)max.n, max.p);
		buf_release(&min);
		buf_release(&max);
		return;
	}
	if (k->kind == CONF_K_SIZE64 || k->kind == CONF_K_NUM64)
		*(uint64_t *)field(base, k->off) = v;
	else
		*(uint32_t *)field(base, k->off) = (uint32_t)v;
}

static void
set_word(struct conf_loader *l, const struct conf_key *k, void *base,
    const char *text, int line)
{
	const struct conf_word *w;
	struct buf b;

	for (w = k->words; w->text != NULL; w++) {
		if (strcmp(w->text, text) != 0)
			continue;
		if (k->kind == CONF_K_ENUM)
			*(int *)field(base, k->off) = w->value;
		else
			*(const char **)field(base, k->off) = w->text;
		return;
	}
	buf_init(&b, 1024);
	for (w = k->words; w->text != NULL; w++)
		buf_printf(&b, "%s%s", w == k->words ? "" : ", ", w->text);
	conf_fault(l, line, "%s: \"%s\" is none of %.*s", k->name, text,
	    (int)b.n, b.p);
	buf_release(&b);
}

static void
set_bool(struct conf_loader *l, const struct conf_key *k, void *base,
    const char *text, int line)
{
	static const char *const yes[] = { "true", "yes", "on" },
	    *const no[] = { "false", "no", "off" };

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*(bool *)field(base, k->off) =
			    strcmp(text, yes[i]) == 0;
			return;
		}
	}
	conf_fault(l, line, "%s: \"%s\" is neither true nor false", k->name,
	    text);
}

/* NULL, or what is wrong with a text of this kind. */
static const char *
text_fault(const struct conf_key *k, const char *text)
{
	const unsigned char *p;

	if (*text == '\0')
		return "is empty";
	if (strlen(text) > CONF_VALUE_LEN)
		return "is too long";
	for (p = (const unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			return "has a control character";
	if (k->kind == CONF_K_PATH && *text != '/')
		return "is not an absolute path";
	if (k->kind == CONF_K_LOG && *text != '/' &&
	    strcmp(text, "syslog") != 0 && strcmp(text, "stderr") != 0)
		return "is neither syslog, stderr nor an absolute path";
	return k->check != NULL ? k->check(text) : NULL;
}

void
conf_value_set(struct conf_loader *l, const struct conf_key *k, void *base,
    const char *text, int line)
{
	const char *why;

	switch (k->kind) {
	case CONF_K_BOOL:
		set_bool(l, k, base, text, line);
		return;
	case CONF_K_ENUM:
	case CONF_K_WORD:
		set_word(l, k, base, text, line);
		return;
	case CONF_K_STR:
	case CONF_K_PATH:
	case CONF_K_LOG:
		if ((why = text_fault(k, text)) != NULL)
			conf_fault(l, line, "%s: \"%.200s\" %s", k->name, text,
			    why);
		else
			*(const char **)field(base, k->off) =
			    arena_strdup(l->a, text);
		return;
	default:
		set_number(l, k, base, text, line);
	}
}

/* Called each time that a value came to the end of the list, and once more
 * when it is complete. */
void
conf_list_set(struct conf_loader *l, const struct conf_key *k, void *base,
    const char *const *text, size_t n, int line)
{
	const char *const *old = *(const char *const **)field(base, k->off);
	const char **v = arena_calloc(l->a, n + 1, sizeof(*v)), *why;
	size_t *old_n = field(base, k->off_n);

	if (n > 0 && (n != *old_n || strcmp(old[n - 1], text[n - 1]) != 0) &&
	    (why = text_fault(k, text[n - 1])) != NULL)
		conf_fault(l, line, "%s: \"%.200s\" %s", k->name, text[n - 1],
		    why);
	for (size_t i = 0; i < n; i++)
		v[i] = arena_strdup(l->a, text[i]);
	*(const char *const **)field(base, k->off) = v;
	*old_n = n;
}

void
conf_quote(struct buf *out, const char *s)
{
	buf_addc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\' || *s == '$')
			buf_addc(out, '\\');
		buf_addc(out, *s);
	}
	buf_addc(out, '"');
}

static void
print_list(const struct conf_key *k, const void *base, struct buf *out)
{
	const char *const *v =
	    *(const char *const *const *)field_const(base, k->off);
	size_t n = *(const size_t *)field_const(base, k->off_n);

	buf_add_str(out, "{");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_str(out, ", ");
		conf_quote(out, v[i]);
	}
	buf_add_str(out, "}");
}

bool
conf_value_print(const struct conf_key *k, const void *base, struct buf *out)
{
	const void *p = field_const(base, k->off);
	const struct conf_word *w;

	switch (k->kind) {
	case CONF_K_STR:
	case CONF_K_PATH:
	case CONF_K_LOG:
	case CONF_K_WORD:
		if (*(const char *const *)p == NULL)
			return false;
		conf_quote(out, *(const char *const *)p);
		break;
	case CONF_K_ENUM:
		for (w = k->words; w->value != *(const int *)p; w++)
			;
		conf_quote(out, w->text);
		break;
	case CONF_K_BOOL:
		buf_add_str(out, *(const bool *)p ? "true" : "false");
		break;
	case CONF_K_LIST:
		print_list(k, base, out);
		break;
	case CONF_K_SIZE64:
	case CONF_K_NUM64:
		print_number(k, *(const uint64_t *)p, out);
		break;
	default:
		print_number(k, *(const uint32_t *)p, out);
	}
	return true;
}

/* RFC 8259 7; what isn't UTF-8 is replaced. */
void
conf_json_text(struct buf *out, const char *s)
{
	struct arena *a = arena_new(0);
	struct slice t = utf8_clean(a, slice_str(s));

	buf_addc(out, '"');
	for (size_t i = 0; i < t.n; i++) {
		unsigned char ch = (unsigned char)t.p[i];

		if (ch < 0x20)
			buf_printf(out, "\\u%04x", ch);
		else {
			if (ch == '"' || ch == '\\')
				buf_addc(out, '\\');
			buf_addc(out, (char)ch);
		}
	}
	buf_addc(out, '"');
	arena_free(&a);
}

static void
list_json(const struct conf_key *k, const void *base, struct buf *out)
{
	const char *const *v =
	    *(const char *const *const *)field_const(base, k->off);
	size_t n = *(const size_t *)field_const(base, k->off_n);

	buf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(out, ',');
		conf_json_text(out, v[i]);
	}
	buf_addc(out, ']');
}

void
conf_value_json(const struct conf_key *k, const void *base, struct buf *out)
{
	const void *p = field_const(base, k->off);
	const struct conf_word *w;

	switch (k->kind) {
	case CONF_K_STR:
	case CONF_K_PATH:
	case CONF_K_LOG:
	case CONF_K_WORD:
		if (*(const char *const *)p == NULL)
			buf_add_str(out, "null");
		else
			conf_json_text(out, *(const char *const *)p);
		break;
	case CONF_K_ENUM:
		for (w = k->words; w->value != *(const int *)p; w++)
			;
		conf_json_text(out, w->text);
		break;
	case CONF_K_BOOL:
		buf_add_str(out, *(const bool *)p ? "true" : "false");
		break;
	case CONF_K_LIST:
		list_json(k, base, out);
		break;
	case CONF_K_SIZE64:
	case CONF_K_NUM64:
		buf_add_u64(out, *(const uint64_t *)p);
		break;
	default:
		buf_add_u64(out, *(const uint32_t *)p);
	}
}
