/* libsession/confine-calls.c - the system calls that are left: seccomp */
#include "config.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/confine.h"

/*
 * The filter is written down here rather than made by libseccomp: that
 * takes microseconds instead of a millisecond, and a library less to bind.
 */
#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH
enum { FILTER_MAX = 400, WORD = 32, WORDS = 15 };

/* Calls that not every machine has are left out by what follows. */
#ifdef SYS_open
#define OLD(name) SYS_##name,
#else
#define OLD(name)
#endif

static const int any_calls[] = {
	/* files */
	SYS_openat, SYS_close, SYS_read, SYS_write, SYS_readv, SYS_writev,
	SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
	SYS_pwritev2, SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_statx,
	SYS_statfs, SYS_fstatfs, SYS_faccessat, SYS_getdents64, SYS_readlinkat,
	SYS_mkdirat, SYS_unlinkat, SYS_linkat, SYS_renameat2, SYS_ftruncate,
	SYS_truncate, SYS_fallocate, SYS_fsync, SYS_fdatasync,
	SYS_sync_file_range, SYS_syncfs, SYS_copy_file_range, SYS_sendfile,
	SYS_splice, SYS_fadvise64, SYS_fcntl, SYS_flock, SYS_utimensat,
	SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_umask, SYS_dup, SYS_dup3,
	SYS_pipe2, SYS_getcwd, SYS_memfd_create, SYS_renameat,
	OLD(open) OLD(stat) OLD(lstat) OLD(access) OLD(readlink) OLD(mkdir)
	OLD(rmdir) OLD(unlink) OLD(link) OLD(rename) OLD(getdents) OLD(dup2)
	OLD(pipe) OLD(utimes) OLD(chmod)
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
#ifdef SYS_close_range
	SYS_close_range,
#endif
	/* the connection, and waiting */
	SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_sendmsg, SYS_sendmmsg,
	SYS_recvmmsg, SYS_shutdown, SYS_setsockopt, SYS_getsockopt,
	SYS_getsockname, SYS_getpeername, SYS_connect, SYS_socketpair,
	SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl,
	SYS_epoll_pwait, SYS_eventfd2, SYS_signalfd4, SYS_timerfd_create,
	SYS_timerfd_settime, SYS_timerfd_gettime, SYS_inotify_init1,
	SYS_inotify_add_watch, SYS_inotify_rm_watch,
	OLD(poll) OLD(select) OLD(epoll_wait) OLD(eventfd) OLD(signalfd)
	OLD(pause) OLD(alarm)
	/* memory, time, signals, ourselves */
	SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise,
	SYS_msync, SYS_mincore, SYS_futex, SYS_set_robust_list,
	SYS_get_robust_list, SYS_set_tid_address, SYS_sched_yield,
	SYS_sched_getaffinity, SYS_getrandom, SYS_clock_gettime,
	SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
	SYS_getrusage, SYS_sysinfo, SYS_uname, SYS_times, SYS_rt_sigaction,
	SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending,
	SYS_rt_sigtimedwait, SYS_rt_sigsuspend, SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid,
	SYS_getgid, SYS_getegid, SYS_getgroups, SYS_setitimer, SYS_getitimer,
	SYS_exit, SYS_exit_group, SYS_prlimit64, SYS_getrlimit,
	SYS_wait4, SYS_get_mempolicy, SYS_getcpu, SYS_membarrier,
	OLD(time)
#ifdef SYS_rseq
	SYS_rseq,
#endif
};

/* What a process of its own could be made for, linux/sched.h. */
#define NAMESPACES 0x7e020080U

/* Of services with threads, behind a listening socket. */
static const int service_calls[] = {
	SYS_accept, SYS_accept4, SYS_setrlimit, SYS_bind
};

/* A bit for each number. */
struct calls {
	uint32_t bits[WORDS];
};

struct filter {
	struct sock_filter op[FILTER_MAX];
	unsigned short n;
};

static void
add(struct filter *f, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	f->op[f->n++] = (struct sock_filter){ code, yes, no, k };
}

static void
result(struct filter *f, uint32_t what)
{
	add(f, BPF_RET | BPF_K, what, 0, 0);
}

static void
load(struct filter *f, size_t offset)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void
note_calls(struct calls *c, const int *call, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (call[i] / WORD < WORDS)
			c->bits[call[i] / WORD] |= 1U << call[i] % WORD;
}

/*
 * Only comparisons, so that the kernel can tell beforehand what comes of each
 * number, and few for each, since it tries them all when the filter is
 * installed.
 */
static void
allow_calls(struct filter *f, const struct calls *c)
{
	for (uint32_t w = 0; w < WORDS; w++) {
		uint8_t left = (uint8_t)__builtin_popcount(c->bits[w]);

		add(f, BPF_JMP | BPF_JGE | BPF_K, (w + 1) * WORD,
		    (uint8_t)(left + 2), 0);
		for (uint32_t i = 0; i < WORD; i++)
			if (c->bits[w] & 1U << i)
				add(f, BPF_JMP | BPF_JEQ | BPF_K,
				    w * WORD + i, left--, 0);
		result(f, SECCOMP_RET_ERRNO | EPERM);
		result(f, SECCOMP_RET_ALLOW);
	}
}

/* The low half of an argument. */
static size_t
arg(int i)
{
	return offsetof(struct seccomp_data, args) + (size_t)i * 8 +
	    (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
}

/* A call whose argument i is one of these. */
static void
allow_with(struct filter *f, int call, int i, const uint32_t *value, size_t n)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0,
	    (uint8_t)(2 + 2 * n));
	load(f, arg(i));
	for (size_t k = 0; k < n; k++) {
		add(f, BPF_JMP | BPF_JEQ | BPF_K, value[k], 0, 1);
		result(f, SECCOMP_RET_ALLOW);
	}
	result(f, SECCOMP_RET_ERRNO | EPERM);
}

/* clone with one of those flags, or with none of them. */
static void
allow_clone(struct filter *f, uint32_t flags, bool with)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
	load(f, arg(0));
	add(f, BPF_JMP | BPF_JSET | BPF_K, flags, with ? 0 : 1, with ? 1 : 0);
	result(f, SECCOMP_RET_ALLOW);
	result(f, SECCOMP_RET_ERRNO | EPERM);
}

static void
head(struct filter *f)
{
	load(f, offsetof(struct seccomp_data, arch));
	add(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	result(f, SECCOMP_RET_KILL_PROCESS);
	load(f, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	/* The x32 numbers are other names of the same calls. */
	add(f, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
	result(f, SECCOMP_RET_ERRNO | EPERM);
#endif
}

static void
build(struct filter *f, enum confine_who who)
{
	static const uint32_t unix_only[] = { AF_UNIX };
	static const uint32_t families[] = { AF_UNIX, AF_INET, AF_INET6,
		AF_NETLINK };
	static const uint32_t ioctls[] = { TCGETS, FIONREAD, FIONBIO };
	struct calls c = { { 0 } };
	const uint32_t self[] = { (uint32_t)getpid() };

	head(f);
	note_calls(&c, any_calls, sizeof(any_calls) / sizeof(any_calls[0]));
	if (who >= CONFINE_SERVICE)
		note_calls(&c, service_calls,
		    sizeof(service_calls) / sizeof(service_calls[0]));
	if (who == CONFINE_LOGIN)
		allow_with(f, SYS_socket, 0, unix_only, 1);
	else
		allow_with(f, SYS_socket, 0, families,
		    sizeof(families) / sizeof(families[0]));
	allow_with(f, SYS_ioctl, 1, ioctls,
	    sizeof(ioctls) / sizeof(ioctls[0]));
	/* abort(3), pthread_kill(3) */
	allow_with(f, SYS_tgkill, 0, self, 1);
	if (who == CONFINE_DELIVERY)	/* a process answers, when it delivered */
		allow_clone(f, NAMESPACES, false);
	else if (who != CONFINE_LOGIN)
		allow_clone(f, CLONE_THREAD, true);
#ifdef SYS_clone3
	/* Its flags are out of a filter's sight; libc then uses clone. */
	add(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	result(f, SECCOMP_RET_ERRNO | ENOSYS);
#endif
	allow_calls(f, &c);
	result(f, SECCOMP_RET_ERRNO | EPERM);
}
#endif

void
confine_calls(const struct conf *c, enum confine_who who)
{
#ifdef ARCH
	static bool done;
	struct filter f = { .n = 0 };
	struct sock_fprog prog = { 0, f.op };

	/* The sanitizers start a process of their own at exit. */
	if (done || !c->confine || XALLOC_ASAN ||
	    confine_starts_programs(c, who))
		return;
	done = true;
	build(&f, who);
	prog.len = f.n;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_LOG, &prog) < 0)
		log_info("not confined: seccomp: %s", strerror(errno));
#else
	(void)c;
	(void)who;
#endif
}
