/* culver/progress.c - how far it is, on a terminal only */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "culver/culver.h"
#include "libbase/text.h"

enum { BAR_WIDTH = 30, SHOW_EVERY_MS = 100 };

void
progress_start(struct progress *p, uint64_t total)
{
	*p = (struct progress){ 0 };
	p->on = isatty(STDERR_FILENO) == 1;
	p->total = total;
	p->started = time_mono_ms();
}

static void
show(struct progress *p, int64_t now)
{
	uint64_t total = p->total ? p->total : 1;
	uint64_t done = p->done < total ? p->done : total;
	int full = (int)((double)done / (double)total * BAR_WIDTH);
	double secs = (double)(now - p->started) / 1000.0;
	char bar[BAR_WIDTH + 1];

	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %3d%%  %llu done  %.0f/s\033[K", bar,
	    (int)((double)done / (double)total * 100.0),
	    (unsigned long long)p->items,
	    secs > 0.05 ? (double)p->items / secs : 0.0);
	fflush(stderr);
}

void
progress_add(struct progress *p, uint64_t octets, uint64_t items)
{
	int64_t now;

	p->done += octets;
	p->items += items;
	if (!p->on)
		return;
	now = time_mono_ms();
	if (p->shown && now - p->shown < SHOW_EVERY_MS)
		return;
	p->shown = now;
	show(p, now);
}

void
progress_clear(struct progress *p)
{
	if (!p->on || !p->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->shown = 0;
}
