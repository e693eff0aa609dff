/* jmap-fcgi/workers.c - the threads that serve requests */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "jmap-fcgi/web.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum {
	LONG_MAX_N = 64,	/* uploads at once, of all users */
	STACK = 2 << 20,
	RETRY_MS = 20,
	ARENA_SOFT_MAX = 0	/* what a request may take is bounded elsewhere */
};

struct worker {
	struct workers *of;
	pthread_t id;
	bool live;
	atomic_bool accepting;	/* blocked, or about to be, in accept() */
};

struct workers {
	struct jmap_env env;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct worker *v;
	uint32_t base, max;	/* wanted for short requests; all */
	uint32_t n, n_long, n_busy;
	int64_t last;		/* end of the last request */
	atomic_bool stop;
};

static void
pause_ms(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* Is this thread one more than is needed?  Then it counts no more. */
static bool
leaves(struct worker *me)
{
	struct workers *w = me->of;
	bool leave;

	pthread_mutex_lock(&w->lock);
	leave = atomic_load(&w->stop) || w->n - w->n_long > w->base;
	if (leave) {
		me->live = false;
		w->n--;
		pthread_cond_broadcast(&w->ended);
	}
	pthread_mutex_unlock(&w->lock);
	return leave;
}

static void
busy(struct workers *w, bool yes)
{
	pthread_mutex_lock(&w->lock);
	if (yes)
		w->n_busy++;
	else
		w->n_busy--;
	w->last = time_mono_ms();
	pthread_mutex_unlock(&w->lock);
}

/* After a failed accept: wait for better times, or give up. */
static void
accept_failed(struct workers *w, int error)
{
	switch (error) {
	case EINTR:
	case EAGAIN:
	case ECONNABORTED:
		return;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		log_err("accept: %s", strerror(error));
		pause_ms(100);
		return;
	default:
		if (!atomic_load(&w->stop)) {
			log_err("accept: error %d: ending", error);
			kill(getpid(), SIGTERM);
			pause_ms(100);
		}
	}
}

static void *
run(void *arg)
{
	struct worker *me = arg;
	struct workers *w = me->of;
	struct arena *a = arena_new(ARENA_SOFT_MAX);
	FCGX_Request req;
	int rc;

	FCGX_InitRequest(&req, 0, FCGI_FAIL_ACCEPT_ON_INTR);
	while (!leaves(me)) {
		atomic_store(&me->accepting, true);
		rc = atomic_load(&w->stop) ? -EINTR : FCGX_Accept_r(&req);
		atomic_store(&me->accepting, false);
		if (rc < 0) {
			accept_failed(w, -rc);
			continue;
		}
		busy(w, true);
		web_serve(&w->env, &req, a);
		busy(w, false);
	}
	FCGX_Free(&req, 1);
	arena_free(&a);
	return NULL;
}

/* With the lock held. */
static void
spawn(struct workers *w)
{
	pthread_attr_t attr;
	struct worker *me;

	for (me = w->v; me->live; me++)
		;
	me->of = w;
	atomic_store(&me->accepting, false);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if ((errno = pthread_create(&me->id, &attr, run, me)) != 0) {
		log_err("pthread_create: %s", strerror(errno));
	} else {
		me->live = true;
		w->n++;
	}
	pthread_attr_destroy(&attr);
}

struct workers *
workers_new(const struct jmap_env *env, uint32_t n)
{
	struct workers *w = xcalloc(1, sizeof(*w));

	w->env = *env;
	w->env.workers = w;
	w->base = n;
	w->max = n + LONG_MAX_N;
	w->v = xcalloc(w->max + 1, sizeof(*w->v));
	w->last = time_mono_ms();
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->ended, NULL);
	pthread_mutex_lock(&w->lock);
	for (uint32_t i = 0; i < n; i++)
		spawn(w);
	if (w->n == 0)
		fatal("no thread can be made");
	pthread_mutex_unlock(&w->lock);
	return w;
}

/* Gets them out of accept(); a signal may come too early, so again and again. */
static void
interrupt(struct workers *w)
{
	for (uint32_t i = 0; i < w->max; i++)
		if (w->v[i].live && atomic_load(&w->v[i].accepting))
			pthread_kill(w->v[i].id, SIGUSR1);
}

void
workers_free(struct workers **wp, int wait_ms)
{
	struct workers *w = *wp;
	int64_t end = time_mono_ms() + wait_ms;
	struct timespec t;

	atomic_store(&w->stop, true);
	pthread_mutex_lock(&w->lock);
	while (w->n > 0 && time_mono_ms() < end) {
		interrupt(w);
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_nsec += RETRY_MS * 1000000L;
		if (t.tv_nsec >= 1000000000L) {
			t.tv_sec++;
			t.tv_nsec -= 1000000000L;
		}
		pthread_cond_timedwait(&w->ended, &w->lock, &t);
	}
	if (w->n > 0) {
		log_warn("%u requests did not end in time", (unsigned)w->n);
		pthread_mutex_unlock(&w->lock);
		return;		/* they still use it */
	}
	pthread_mutex_unlock(&w->lock);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->ended);
	xfree(w->v);
	xfree(w);
	*wp = NULL;
}

int64_t
workers_idle_ms(struct workers *w)
{
	int64_t ms = 0;

	pthread_mutex_lock(&w->lock);
	if (w->n_busy == 0)
		ms = time_mono_ms() - w->last;
	pthread_mutex_unlock(&w->lock);
	return ms;
}

bool
workers_long_begin(struct workers *w)
{
	bool ok;

	pthread_mutex_lock(&w->lock);
	ok = w->n_long < LONG_MAX_N;
	if (ok) {
		w->n_long++;
		if (w->n - w->n_long < w->base && w->n < w->max)
			spawn(w);
	}
	pthread_mutex_unlock(&w->lock);
	return ok;
}

void
workers_long_end(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	w->n_long--;
	pthread_mutex_unlock(&w->lock);
}
