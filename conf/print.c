/* conf/print.c - all settings in the file's own syntax */
#include "config.h"

#include "conf/conf-int.h"

static void
print_keys(const struct conf_key *k, const void *base, const char *indent,
    struct buf *out)
{
	for (; k->name != NULL; k++) {
		size_t n = out->n;

		buf_printf(out, "%s%s = ", indent, k->name);
		if (conf_value_print(k, base, out))
			buf_addc(out, '\n');
		else
			out->n = n;	/* not set: nothing to say */
	}
}

void
conf_print(const struct conf *c, struct buf *out)
{
	print_keys(conf_top_keys, c, "", out);
	for (size_t i = 0; i < c->n_certs; i++) {
		buf_add_str(out, "tls ");
		conf_quote(out, c->certs[i].name);
		buf_add_str(out, " {\n");
		print_keys(conf_cert_keys, &c->certs[i], "\t", out);
		buf_add_str(out, "}\n");
	}
	for (size_t i = 0; i < c->n_folders; i++) {
		buf_add_str(out, "folder ");
		conf_quote(out, c->folders[i].name);
		buf_add_str(out, " {\n");
		print_keys(conf_folder_keys, &c->folders[i], "\t", out);
		buf_add_str(out, "}\n");
	}
	for (size_t i = 0; i < c->n_listeners; i++) {
		buf_add_str(out, "listener ");
		conf_quote(out, c->listeners[i].name);
		buf_add_str(out, " {\n");
		print_keys(conf_listener_keys, &c->listeners[i], "\t", out);
		buf_add_str(out, "}\n");
	}
}

/* "key":value pairs, each with a comma before it. */
static void
keys_json(const struct conf_key *k, const void *base, struct buf *out)
{
	for (; k->name != NULL; k++) {
		buf_printf(out, ",\n\"%s\":", k->name);
		conf_value_json(k, base, out);
	}
}

static void
section_json(struct buf *out, bool first, const char *name,
    const struct conf_key *keys, const void *base)
{
	buf_add_str(out, first ? "{\"name\":" : ",{\"name\":");
	conf_json_text(out, name);
	keys_json(keys, base, out);
	buf_addc(out, '}');
}

void
conf_print_json(const struct conf *c, struct buf *out)
{
	buf_add_str(out, "{\"path\":");
	conf_json_text(out, c->path);
	keys_json(conf_top_keys, c, out);
	buf_add_str(out, ",\n\"tls\":[");
	for (size_t i = 0; i < c->n_certs; i++)
		section_json(out, i == 0, c->certs[i].name, conf_cert_keys,
		    &c->certs[i]);
	buf_add_str(out, "],\n\"folder\":[");
	for (size_t i = 0; i < c->n_folders; i++)
		section_json(out, i == 0, c->folders[i].name, conf_folder_keys,
		    &c->folders[i]);
	buf_add_str(out, "],\n\"listener\":[");
	for (size_t i = 0; i < c->n_listeners; i++)
		section_json(out, i == 0, c->listeners[i].name,
		    conf_listener_keys, &c->listeners[i]);
	buf_add_str(out, "]}\n");
}
