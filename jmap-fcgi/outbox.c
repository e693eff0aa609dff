/* jmap-fcgi/outbox.c - a thread that sends what is due */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "jmap-fcgi/web.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/submit.h"

enum { STACK = 1 << 20 };

struct outbox {
	const struct jmap_env *env;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, ended;
};

static bool
stopped(void *arg)
{
	struct outbox *o = arg;
	bool stop;

	pthread_mutex_lock(&o->lock);
	stop = o->stop;
	pthread_mutex_unlock(&o->lock);
	return stop;
}

static struct timespec
in_ms(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

static void *
run(void *arg)
{
	struct outbox *o = arg;
	const struct jmap_env *env = o->env;
	struct timespec t;
	size_t n;

	while (!stopped(o)) {
		if (submit_all(env->conf, &env->store_conf, stopped, o,
		    &n) < 0)
			log_err("the outbox can't be read");
		t = in_ms((int64_t)env->conf->outbox_poll_s * 1000);
		pthread_mutex_lock(&o->lock);
		while (!o->stop && pthread_cond_timedwait(&o->changed,
		    &o->lock, &t) != ETIMEDOUT)
			;
		pthread_mutex_unlock(&o->lock);
	}
	pthread_mutex_lock(&o->lock);
	o->ended = true;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

struct outbox *
outbox_new(const struct jmap_env *env)
{
	struct outbox *o;
	pthread_condattr_t ca;
	pthread_attr_t attr;
	pthread_t id;

	if (!mta_configured(env->conf))
		return NULL;
	o = xcalloc(1, sizeof(*o));
	o->env = env;
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&ca);
	pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	pthread_cond_init(&o->changed, &ca);
	pthread_condattr_destroy(&ca);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if ((errno = pthread_create(&id, &attr, run, o)) != 0) {
		log_err("pthread_create: %s", strerror(errno));
		o->ended = true;
	}
	pthread_attr_destroy(&attr);
	return o;
}

void
outbox_free(struct outbox **op, int wait_ms)
{
	struct outbox *o = *op;
	struct timespec t = in_ms(wait_ms);
	bool ended;

	if (o == NULL)
		return;
	pthread_mutex_lock(&o->lock);
	o->stop = true;
	pthread_cond_broadcast(&o->changed);
	while (!o->ended && pthread_cond_timedwait(&o->changed, &o->lock,
	    &t) != ETIMEDOUT)
		;
	ended = o->ended;
	pthread_mutex_unlock(&o->lock);
	if (!ended) {
		log_warn("a message is still being handed over");
		return;		/* it still uses it */
	}
	pthread_mutex_destroy(&o->lock);
	pthread_cond_destroy(&o->changed);
	xfree(o);
	*op = NULL;
}
