/* libsession/program.c - programs of the administrator */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/text.h"
#include "libsession/program.h"

enum { STEP_MS = 50, END_MS = 4 };

int
program_start(char **argv, int in, int out, pid_t *pid_r)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char lang[] = "LC_ALL=C";
	char *env[] = { path, lang, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t all, none;
	int rc;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&at);
	posix_spawnattr_setsigdefault(&at, &all);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGDEF |
	    POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_adddup2(&fa, out, 2);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
#endif
	rc = posix_spawn(pid_r, argv[0], &fa, &at, argv, env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	errno = rc;
	return rc == 0 ? 0 : -1;
}

/* What it says, as far as we care. */
static void
listen_to(int fd, int ms, struct buf *said, bool *end)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char piece[512];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return;
	if ((n = io_read(fd, piece, sizeof(piece))) <= 0)
		*end = true;
	else if (said->n + (size_t)n <= said->max)
		buf_add(said, piece, (size_t)n);
}

int
program_wait(pid_t pid, int fd, int64_t deadline, struct buf *said)
{
	bool silent = false, killed = false;
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 ||
	    (got < 0 && errno == EINTR)) {
		if (!killed && time_mono_ms() >= deadline) {
			kill(pid, SIGKILL);
			killed = true;
		}
		if (silent)
			poll(NULL, 0, END_MS);
		else
			listen_to(fd, STEP_MS, said, &silent);
	}
	for (int i = 0; i < 16 && !silent; i++)
		listen_to(fd, 0, said, &silent);
	return got < 0 ? -1 : status;
}
