/* t/unit/test-confine.c - who is confined tries to get out */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libbase/xalloc.h"
#include "libsession/confine.h"

static char dir[] = "/tmp/culver-confine-XXXXXX";
static char mail[64], run[64], etc[64], home[64];
static struct conf cf;
static bool have_landlock;

static const char *
in(const char *where, const char *name)
{
	static char path[4][256];
	static int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", where, name);
	return path[n];
}

static void
put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static int
setup(void **state)
{
	char *const all[] = { mail, run, etc, home };
	static const char *const name[] = { "mail", "run", "etc", "home" };

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < 4; i++) {
		snprintf(all[i], sizeof(mail), "%s/%s", dir, name[i]);
		assert_int_equal(mkdir(all[i], 0700), 0);
	}
	mkdir(in(mail, "alice"), 0700);
	mkdir(in(mail, "bob"), 0700);
	put(in(mail, "alice/journal"));
	put(in(mail, "bob/journal"));
	put(in(etc, "passwd"));
	put(in(home, "secret"));
	assert_int_equal(symlink(in(home, "secret"), in(mail, "alice/link")),
	    0);
	cf.confine = true;
	cf.mail_dir = mail;
	cf.run_dir = run;
	cf.path = xstrdup(in(etc, "culver.conf"));
	cf.passwd_file = xstrdup(in(etc, "passwd"));
	cf.token_file = xstrdup(in(etc, "tokens"));
	cf.log = "syslog";
	cf.module_dir = "/nowhere";
	have_landlock = syscall(444, NULL, (size_t)0, 1U) >= 1;
	return 0;
}

static int
teardown(void **state)
{
	char *argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, dir, NULL };
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		execvp("rm", argv);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	xfree((void *)(uintptr_t)cf.path);
	xfree((void *)(uintptr_t)cf.passwd_file);
	xfree((void *)(uintptr_t)cf.token_file);
	return 0;
}

/* In a child: 0, or the number of what was not as it should be. */
static void
in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int st;

	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFEXITED(st));
	assert_int_equal(WEXITSTATUS(st), 0);
}

static bool
opens(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool
denied(const char *path, int flags)
{
	return !opens(path, flags) && errno == EACCES;
}

/* Is a TCP connection refused by us, rather than by who would answer? */
static bool
no_tcp(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(9), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool no = fd < 0 ? errno == EPERM :
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 &&
		errno == EACCES;

	if (fd >= 0)
		close(fd);
	return no;
}

#define WANT(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "# line %d: " #x ": %s\n", __LINE__, \
			    strerror(errno)); \
			return 1; \
		} \
	} while (0)

static int
before_login(void)
{
	confine_files(&cf, CONFINE_LOGIN);
	WANT(opens(in(etc, "passwd"), O_RDONLY));
	WANT(denied(in(etc, "passwd"), O_RDWR));
	WANT(denied(in(etc, "new"), O_RDWR | O_CREAT));
	WANT(opens(in(run, "auth.cache"), O_RDWR | O_CREAT));
	WANT(opens(in(mail, "bob/journal"), O_RDWR));
	WANT(denied("/etc/passwd", O_RDONLY));
	WANT(denied("/proc/self/environ", O_RDONLY) || XALLOC_ASAN);
	WANT(denied(in(home, "secret"), O_RDONLY));
	WANT(denied(in(mail, "alice/link"), O_RDONLY));
	WANT(denied(in(mail, "../home/secret"), O_RDONLY));
	WANT(rename(in(home, "secret"), in(mail, "alice/stolen")) < 0);
	WANT(link(in(home, "secret"), in(mail, "alice/stolen")) < 0);
	WANT(truncate(in(home, "secret"), 0) < 0);
	WANT(execl("/bin/true", "true", (char *)NULL) < 0 && errno == EACCES);
	WANT(no_tcp());
	/* The store moves files between its directories. */
	WANT(mkdir(in(mail, ".trash"), 0700) == 0);
	WANT(rename(in(mail, "bob/journal"), in(mail, ".trash/j")) == 0);
	WANT(rename(in(mail, ".trash/j"), in(mail, "bob/journal")) == 0);
	return 0;
}

static int
after_login(void)
{
	confine_files(&cf, CONFINE_LOGIN);
	confine_account(&cf, "alice");
	WANT(opens(in(mail, "alice/journal"), O_RDWR));
	WANT(opens(in(mail, "alice/new"), O_RDWR | O_CREAT));
	WANT(denied(in(mail, "alice/link"), O_RDONLY));
	WANT(denied(in(mail, "bob/journal"), O_RDONLY));
	WANT(denied(mail, O_RDONLY | O_DIRECTORY));
	WANT(denied(in(etc, "passwd"), O_RDONLY));
	WANT(denied(in(run, "auth.cache"), O_RDONLY));
	/* Nothing that comes later gives anything back. */
	confine_files(&cf, CONFINE_SERVICE);
	WANT(denied(in(etc, "passwd"), O_RDONLY));
	return 0;
}

static int
programs(void)
{
	struct conf with = cf;

	with.sendmail = "/usr/sbin/sendmail";
	confine_files(&with, CONFINE_SERVICE);
	confine_calls(&with, CONFINE_SERVICE);
	WANT(opens("/etc/passwd", O_RDONLY));
	confine_files(&with, CONFINE_LOGIN);	/* those never send */
	WANT(denied("/etc/passwd", O_RDONLY));
	return 0;
}

static int
switched_off(void)
{
	struct conf off = cf;

	off.confine = false;
	confine_files(&off, CONFINE_LOGIN);
	confine_account(&off, "alice");
	confine_calls(&off, CONFINE_LOGIN);
	WANT(opens("/etc/passwd", O_RDONLY));
	WANT(opens(in(etc, "passwd"), O_RDWR));
	return 0;
}

static bool
eperm(long rc)
{
	return rc == -1 && errno == EPERM;
}

static int
calls(void)
{
	const pid_t parent = getppid();
	iconv_t cd;

	confine_calls(&cf, CONFINE_LOGIN);
	WANT(eperm(execl("/bin/true", "true", (char *)NULL)));
	WANT(eperm(fork()));
	WANT(eperm(socket(AF_INET, SOCK_STREAM, 0)));
	WANT(eperm(socket(AF_PACKET, SOCK_RAW, 0)));
	WANT(eperm(syscall(SYS_ptrace, PTRACE_ATTACH, parent, 0, 0)));
	WANT(eperm(syscall(SYS_process_vm_readv, parent, NULL, 0, NULL, 0, 0)));
	WANT(eperm(kill(parent, 0)));
	WANT(eperm(syscall(SYS_tgkill, parent, parent, 0)));
	WANT(eperm(mount("none", mail, "tmpfs", 0, NULL)));
	WANT(eperm(chroot(mail)));
	WANT(eperm(setuid(0)));
	WANT(eperm(syscall(SYS_unshare, 0)));
	WANT(eperm(syscall(SYS_setns, 0, 0)));
	WANT(eperm(syscall(SYS_bpf, 0, NULL, 0)));
	WANT(eperm(syscall(SYS_io_uring_setup, 1, NULL)));
	WANT(eperm(syscall(SYS_open_by_handle_at, 0, NULL, 0)));
	WANT(eperm(syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x")));
#ifdef __x86_64__
	WANT(eperm(syscall(0x40000000 + SYS_getpid)));
#endif
	/* What a session does goes on. */
	WANT(opens(in(mail, "alice/journal"), O_RDWR));
	WANT(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0);
	WANT(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	WANT((cd = iconv_open("UTF-8", "ISO-2022-JP")) != (iconv_t)-1);
	iconv_close(cd);
	return 0;
}

static int
calls_then_abort(void)
{
	confine_calls(&cf, CONFINE_LOGIN);
	abort();
}

static void
test_before_login(void **state)
{
	(void)state;
	if (!have_landlock)
		skip();
	in_child(before_login);
}

static void
test_after_login(void **state)
{
	(void)state;
	if (!have_landlock)
		skip();
	in_child(after_login);
}

static void
test_programs(void **state)
{
	(void)state;
	if (!have_landlock)
		skip();
	in_child(programs);
}

static void
test_off(void **state)
{
	(void)state;
	in_child(switched_off);
}

static void
test_calls(void **state)
{
	pid_t pid;
	int st;

	(void)state;
	if (XALLOC_ASAN)	/* there are none */
		skip();
	in_child(calls);
	if ((pid = fork()) == 0)
		_exit(calls_then_abort());
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before_login),
		cmocka_unit_test(test_after_login),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_calls),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
