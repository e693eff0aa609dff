/* jmap-fcgi/main.c - JMAP server behind a web server, by FastCGI */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "jmap-fcgi/listen.h"
#include "jmap-fcgi/query-cache.h"
#include "jmap-fcgi/web.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/confine.h"
#include "libsession/session.h"
#include "libsession/stats.h"
#include "libsession/webpush.h"

enum { END_WAIT_MS = 4000, OUTBOX_WAIT_MS = 500, IDLE_STORES = 256 };

struct options {
	const char *conf, *listener;
	bool debug;
};

static void
usage(void)
{
	fprintf(stderr, "usage: jmap-fcgi [-d] [-f file] [-l listener]\n");
	exit(EXIT_PERM);
}

static void
options(int argc, char **argv, struct options *o)
{
	int c;

	memset(o, 0, sizeof(*o));
	o->conf = conf_default_path();
	while ((c = getopt(argc, argv, "df:l:")) != -1) {
		switch (c) {
		case 'd':
			o->debug = true;
			break;
		case 'f':
			o->conf = optarg;
			break;
		case 'l':
			o->listener = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
}

static const struct conf_listener *
find_listener(const struct conf *cf, const char *name)
{
	const struct conf_listener *l = NULL;

	if (name != NULL) {
		if ((l = conf_listener(cf, name)) == NULL)
			fatal_perm("%s: there is no listener \"%s\"",
			    cf->path, name);
		if (l->protocol != CONF_JMAP)
			fatal_perm("%s: listener \"%s\" is not for jmap",
			    cf->path, name);
		return l;
	}
	for (size_t i = 0; i < cf->n_listeners && l == NULL; i++)
		if (cf->listeners[i].protocol == CONF_JMAP)
			l = &cf->listeners[i];
	if (l == NULL)
		fatal_perm("%s: there is no listener for jmap", cf->path);
	return l;
}

static void
nothing(int sig)
{
	(void)sig;
}

/* A stream is a descriptor, and an open store is some. */
static void
raise_limits(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur == l.rlim_max)
		return;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0)
		log_warn("RLIMIT_NOFILE: %s", strerror(errno));
}

/* After FCGX_Init, which installs handlers of its own. */
static void
signals(sigset_t *wait_r)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = nothing;	/* interrupts accept() */
	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL);	/* EFBIG says it as well */
	sa.sa_handler = SIG_DFL;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sigemptyset(wait_r);
	sigaddset(wait_r, SIGTERM);
	sigaddset(wait_r, SIGINT);
	sigaddset(wait_r, SIGHUP);
	if ((errno = pthread_sigmask(SIG_BLOCK, wait_r, NULL)) != 0)
		fatal("pthread_sigmask: %s", strerror(errno));
}

/*
 * Until a signal, or nothing was done for linger_s (0: for ever): who gave us
 * the socket starts us again.
 */
static void
wait_for_end(const struct jmap_env *env, const sigset_t *set,
    uint32_t linger_s)
{
	int64_t linger = (int64_t)linger_s * 1000, left = linger;

	for (;;) {
		struct timespec t = { left / 1000, left % 1000 * 1000000 };
		int sig = linger ? sigtimedwait(set, NULL, &t) :
		    sigwaitinfo(set, NULL);

		if (sig > 0) {
			log_info("signal %d: ending", sig);
			return;
		}
		if (linger == 0)
			continue;
		left = linger;
		if (poller_count(env->poller) > 0)
			continue;
		left -= workers_idle_ms(env->workers);
		if (left <= 0)
			return;
	}
}

/* Clients give it to their push services (RFC 9749). */
static void
load_vapid(struct jmap_env *env)
{
	struct vapid v;
	struct buf b;

	if (env->conf->push_socket == NULL)
		return;
	if (vapid_load(&env->store_conf, &v) < 0) {
		log_err("the key for push services: %s", strerror(errno));
		return;
	}
	buf_init(&b, 128);
	base64url_encode(&b, slice_make((const char *)v.point,
	    sizeof(v.point)));
	env->vapid = arena_strndup(conf_arena(env->conf), b.p, b.n);
	buf_release(&b);
	explicit_bzero(&v, sizeof(v));
}

static void
serve(struct jmap_env *env, uint32_t linger_s)
{
	struct outbox *outbox;
	sigset_t set;

	raise_limits();
	if (FCGX_Init() != 0)
		fatal("FCGX_Init failed");
	signals(&set);
	js_init();
	env->pool = pool_new(&env->store_conf, IDLE_STORES);
	env->limits = limits_new();
	env->queries = query_cache_new(env->conf->jmap_query_cache);
	env->logins = logins_new(env->conf);
	env->local = listen_local();
	env->poller = poller_new(env);
	env->workers = workers_new(env, env->conf->jmap_threads);
	outbox = outbox_new(env);
	log_info("%u threads", (unsigned)env->conf->jmap_threads);
	wait_for_end(env, &set, linger_s);
	workers_free(&env->workers, END_WAIT_MS);
	outbox_free(&outbox, OUTBOX_WAIT_MS);
	poller_free(&env->poller);
	if (env->workers != NULL || outbox != NULL)
		_exit(0);	/* a thread still runs: no tidying */
	pool_free(&env->pool);
	limits_free(&env->limits);
	query_cache_free(&env->queries);
	logins_free(&env->logins);
}

int
main(int argc, char **argv)
{
	struct options o;
	struct conf *cf;
	struct jmap_env env;
	bool given;
	char *err;

	options(argc, argv, &o);
	if (conf_load(o.conf, &cf, &err) < 0)
		fatal_perm("%s", err);
	memset(&env, 0, sizeof(env));
	env.conf = cf;
	env.listener = find_listener(cf, o.listener);
	if (log_open("jmap-fcgi", o.debug ? "stderr" : cf->log,
	    o.debug ? LOG_L_DEBUG : cf->log_level) < 0)
		fatal_perm("%s: %s", cf->log, strerror(errno));
	given = listen_given();
	if (!given)
		listen_open(env.listener);
	priv_become(cf->user);
	session_store_conf(cf, &env.store_conf);
	load_vapid(&env);
	env.stats = stats_open(cf);
	confine_files(cf, CONFINE_SERVICE);
	confine_calls(cf, CONFINE_SERVICE);
	serve(&env, given ? env.listener->linger_s : 0);
	conf_free(&cf);
	log_close();
	return 0;
}
