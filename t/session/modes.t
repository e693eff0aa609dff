# t/session/modes.t - what a daemon does with descriptor 0, and with signals
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(dup2 WNOHANG);
use Socket;
use Test::More;
use Time::HiRes qw(time sleep);

my $t = CulverTest->new(tls => 1, conf => <<'END');
listener two { protocol = "pop3" max-connections = 2 linger = 1 }
listener short { protocol = "pop3" login-timeout = 1 linger = 1 }
END

sub listening {
	return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
		ReuseAddr => 1) || die "listen: $!";
}

# Runs a program with these descriptors as 0, 1 and 2; the process id.
sub run {
	my ($fds, $env, @cmd) = @_;
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		my @keep = map { POSIX::dup(fileno $_) } @$fds;
		dup2($keep[$_], $_) for 0 .. $#keep;
		POSIX::close($_) for 3 .. 60;
		# {PID} is not known before.
		$ENV{$_} = $env->{$_} =~ s/\{PID\}/$$/r for keys %$env;
		exec @cmd or POSIX::_exit(127);
	}
	return $pid;
}

sub status_of {
	my ($pid, $timeout) = @_;
	my $end = time + ($timeout // 10);
	while (time < $end) {
		return $? if waitpid($pid, WNOHANG) == $pid;
		sleep 0.01;
	}
	kill 'KILL', $pid;
	waitpid($pid, 0);
	return 'still there';
}

my $null;
open($null, '+<', '/dev/null') or die;
my @err;
open($err[0], '>>', $t->path('stderr')) or die;
my @pop3d = ($t->program('pop3d'), '-f', $t->conf_file, '-l');
my @lmtpd = ($t->program('lmtpd'), '-f', $t->conf_file, '-l', 'lmtp');

# One connection as inetd's "nowait" hands it over: 0, 1 and 2 are the socket.
sub nowait {
	my @cmd = @_;
	my $l = listening();
	my $c = CulverTest::Client->new($l->sockport,
		ca => $t->path('cert.pem'));
	my $s = $l->accept;
	my $pid = run([$s, $s, $s], {}, @cmd);
	close $s;
	return ($c, $pid);
}

{
	my ($c, $pid) = nowait(@pop3d, 'pop3');
	like($c->get, qr/\A\+OK /, 'nowait: greeting');
	$c->ask('USER alice');
	like($c->ask('PASS secret'), qr/\A\+OK /, 'nowait: login');
	like($c->ask('QUIT'), qr/\A\+OK /, 'nowait: QUIT');
	ok($c->eof, 'nowait: closed');
	is(status_of($pid), 0, 'nowait: exit code 0');

	($c, $pid) = nowait(@pop3d, 'pop3');
	$c->get;
	like($c->ask('STLS'), qr/\A\+OK /, 'nowait: STLS');
	$c->tls;
	like($c->ask('CAPA'), qr/\A\+OK /, 'nowait: TLS');
	$c->close;
	is(status_of($pid), 0, 'nowait: exit code after a hang-up');

	($c, $pid) = nowait(@pop3d, 'pop3s');
	$c->tls;
	like($c->get, qr/\A\+OK /, 'nowait: implicit TLS');
	$c->close;
	is(status_of($pid), 0, 'nowait: exit code 0');

	($c, $pid) = nowait(@lmtpd);
	like($c->get, qr/\A220 /, 'nowait: lmtpd');
	kill 'TERM', $pid;
	like($c->get, qr/\A421 4\.3\.2 /, 'nowait: SIGTERM gives a goodbye');
	ok($c->eof, 'nowait: SIGTERM closes');
	is(status_of($pid), 0, 'nowait: SIGTERM: exit code 0');

	($c, $pid) = nowait(@pop3d, 'short');
	$c->get;
	my $start = time;
	like($c->get, qr/\A-ERR .*[Tt]imeout/, 'login timeout');
	cmp_ok(time - $start, '>', 0.9, 'login timeout: not before');
	# Octets that trickle in don't extend it.
	($c, $pid) = nowait(@pop3d, 'short');
	$c->get;
	$start = time;
	for (1 .. 30) {
		$c->put('x') or last;
		last if IO::Select->new($c->{sock})->can_read(0.1);
	}
	cmp_ok(time - $start, '<', 2.5, 'login timeout: whatever trickles in');
	status_of($pid);

	($c, $pid) = nowait(@pop3d, 'pop3', '-u', 'alice');
	like($c->get, qr/\A-ERR \[SYS\/TEMP\]/, '-u with a socket: busy line');
	ok($c->eof, '-u with a socket: closed');
	is(status_of($pid) >> 8, 100, '-u with a socket: exit code 100');

	($c, $pid) = nowait($t->program('pop3d'), '-f', '/nonexistent');
	like($c->get, qr/\A-ERR \[SYS\/TEMP\]/, 'no configuration: busy line');
	ok($c->eof, 'nothing more for the client');
	is(status_of($pid) >> 8, 100, 'no configuration: exit code 100');

	($c, $pid) = nowait(@pop3d, 'nonesuch');
	like($c->get, qr/\A-ERR /, 'no such listener: busy line');
	is(status_of($pid) >> 8, 100, 'no such listener: exit code 100');
	($c, $pid) = nowait(@pop3d, 'imap');
	like($c->get, qr/\A-ERR /, 'a listener of another protocol');
	is(status_of($pid) >> 8, 100, 'a listener of another protocol: 100');
}

# A pipe is logged in already.
sub stdio {
	my (@cmd) = @_;
	pipe(my $in, my $to) or die;
	pipe(my $from, my $out) or die;
	my $pid = run([$in, $out, $err[0]], {}, @cmd);
	close $_ for $in, $out;
	$to->autoflush(1);
	return ($pid, $to, $from);
}

{
	# Its store has to be there.
	my ($c, $p1) = nowait(@pop3d, 'pop3');
	$c->get;
	$c->ask('USER alice');
	$c->ask('PASS secret');
	$c->ask('QUIT');
	status_of($p1);
	my ($pid, $to, $from) = stdio(@pop3d, 'pop3', '-u', 'alice');
	like(scalar <$from>, qr/\A\+OK /, 'stdio: greeting');
	print $to "STAT\r\n";
	like(scalar <$from>, qr/\A\+OK 0 0/, 'stdio: logged in');
	print $to "STLS\r\n";
	like(scalar <$from>, qr/\A-ERR /, 'stdio: no TLS');
	close $to;
	is(scalar(<$from>), undef, 'stdio: ends with its input');
	is(status_of($pid), 0, 'stdio: exit code 0');

	($pid, $to, $from) = stdio(@pop3d, 'pop3', '-u', 'nobody-of-that-name');
	like(scalar <$from>, qr/\A-ERR /, 'stdio: an unknown account');
	is(status_of($pid), 0, 'stdio: ends');
	my $me = getpwuid($>);
	($pid, $to, $from) = stdio(@pop3d, 'pop3');
	like(scalar <$from>, qr/\A-ERR /, "stdio: $me has no account here");
	status_of($pid);
	($pid, $to, $from) = stdio($t->program('pop3d'), '-x');
	is(status_of($pid) >> 8, 100, 'usage: exit code 100');
}

# A connection that is served: the end of another one takes a moment.
sub until_free {
	my ($port) = @_;
	my $end = time + 10;
	for (;;) {
		my $c = CulverTest::Client->new($port);
		my $greeting = $c->get // '';
		return ($c, $greeting)
		    if $greeting =~ /\A\+OK/ || time > $end;
		sleep 0.02;
	}
}

# Wait mode, and its end
{
	my $l = listening();
	my $pid = run([$l, $null, $err[0]], {}, @pop3d, 'two');
	my @c = map { CulverTest::Client->new($l->sockport) } 1 .. 2;
	like($_->get, qr/\A\+OK /, 'wait: greeting') for @c;
	my $full = CulverTest::Client->new($l->sockport);
	like($full->get, qr/\A-ERR \[SYS\/TEMP\]/, 'wait: one too many');
	ok($full->eof, 'wait: one too many: closed');
	$c[0]->ask('QUIT');
	$c[0]->eof;
	($c[0], my $again) = until_free($l->sockport);
	like($again, qr/\A\+OK /, 'wait: a place is free again');

	# One session dies; the others and the parent live.
	my ($child) = grep { $_ } map { (split)[0] }
	    grep { (split)[1] == $pid } qx(ps -eo pid=,ppid=);
	kill 'KILL', $child;
	my ($dead) = IO::Select->new(map { $_->{sock} } @c)->can_read(5);
	my ($left) = grep { $_->{sock} != $dead } @c;
	like($left->ask('CAPA'), qr/\A\+OK/, 'wait: the other session lives');
	(my $new, $again) = until_free($l->sockport);
	like($again, qr/\A\+OK /, 'wait: and the parent');
	like($t->slurp('log'), qr/127\.0\.0\.1:\d+: the session \d+ was ended by signal 9$/m,
		'wait: the crash is in the log');

	kill 'TERM', $pid;
	$left->multi;
	like($_->get, qr/\A-ERR \[SYS\/TEMP\]/, 'wait: SIGTERM gives a goodbye')
	    for $left, $new;
	is(status_of($pid), 0, 'wait: SIGTERM: exit code 0');
}
{
	my $l = listening();
	my $start = time;
	my $pid = run([$l, $null, $err[0]], {}, @pop3d, 'two');
	my $c = CulverTest::Client->new($l->sockport);
	$c->get;
	sleep 1.3;
	is(waitpid($pid, WNOHANG), 0, 'wait: stays while there is a session');
	$c->ask('QUIT');
	is(status_of($pid, 3), 0, 'wait: ends after a quiet time');
	cmp_ok(time - $start, '>', 2, 'wait: not at once');
}

# Sockets from systemd: descriptors from 3 on, with names
{
	my @l = map { listening() } 1 .. 2;
	# A shell puts them at 3 and 4 and knows its process id.
	my $sh = 'exec 3<&$A 4<&$B; LISTEN_PID=$$ LISTEN_FDS=2 '
	    . 'LISTEN_FDNAMES=pop3:pop3s exec "$@" 0</dev/null';
	my $pid = fork // die;
	if ($pid == 0) {
		$ENV{A} = POSIX::dup(fileno $l[0]);
		$ENV{B} = POSIX::dup(fileno $l[1]);
		exec 'bash', '-c', $sh, 'x', @pop3d, 'pop3'
		    or POSIX::_exit(127);
	}
	my $c = CulverTest::Client->new($l[0]->sockport);
	like($c->get, qr/\A\+OK /, 'LISTEN_FDS: the first socket');
	my $s = CulverTest::Client->new($l[1]->sockport, tls => 1,
		ca => $t->path('cert.pem'));
	like($s->get, qr/\A\+OK /, 'LISTEN_FDS: the second is pop3s by name');
	kill 'TERM', $pid;
	is(status_of($pid), 0, 'LISTEN_FDS: exit code 0');
}

SKIP: {
	my $ssa = 'systemd-socket-activate';
	skip 'no systemd-socket-activate', 5
	    if system("command -v $ssa >/dev/null 2>&1");
	for my $how ([], ['--accept'], ['--accept', '--inetd']) {
		my $probe = listening();
		my $port = $probe->sockport;
		close $probe;
		my $pid = run([$null, $null, $err[0]], {}, $ssa, '-l',
			"127.0.0.1:$port", @$how, @pop3d, 'pop3');
		my $c;
		for (1 .. 100) {
			$c = eval { CulverTest::Client->new($port) } and last;
			sleep 0.02;
		}
		like($c ? $c->get : '', qr/\A\+OK /, "$ssa @$how");
		like($c ? $c->ask('QUIT') : '', qr/\A\+OK/, "$ssa @$how: QUIT");
		kill 'TERM', $pid;
		status_of($pid);
	}
}

# A Unix socket
{
	my $path = $t->path('sock');
	my $l = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die;
	my $pid = run([$l, $null, $err[0]], {}, @lmtpd);
	my $s = IO::Socket::UNIX->new(Peer => $path) or die;
	my $c = bless { sock => $s, buf => '' }, 'CulverTest::Client';
	like($c->get, qr/\A220 /, 'Unix socket');
	$c->ask('QUIT');
	my $end = time + 5;
	sleep 0.01 until $t->slurp('log') =~ /unix:$>: end: done/
	    || time > $end;
	like($t->slurp('log'), qr/unix:$>: end: done/,
		'Unix socket: the peer is its user');
	kill 'TERM', $pid;
	is(status_of($pid), 0, 'Unix socket: exit code 0');
}

# A changed configuration is in force for the next connection; a broken one
# is not.
{
	my $l = listening();
	my $pid = run([$l, $null, $err[0]], {}, @pop3d, 'pop3');
	my $greeting = sub { CulverTest::Client->new($l->sockport)->get };
	like($greeting->(), qr/mail\.test/, 'reload: before');
	my $conf = $t->slurp('culver.conf');
	$t->spew('culver.conf', $conf =~ s/mail\.test/other.test/r);
	like($greeting->(), qr/other\.test/, 'reload: after');
	$t->spew('culver.conf', "$conf\nblurdy = 1\n");
	like($greeting->(), qr/other\.test/, 'reload: a broken file');
	my $line = () = "$conf\n" =~ /\n/g;
	$line++;
	like($t->slurp('log'), qr/culver\.conf:$line: no such option 'blurdy'/,
		'reload: the fault is in the log');
	$t->spew('culver.conf', $conf);
	like($greeting->(), qr/mail\.test/, 'reload: repaired');
	kill 'HUP', $pid;
	like($greeting->(), qr/mail\.test/, 'reload: SIGHUP');
	kill 'TERM', $pid;
	is(status_of($pid), 0, 'reload: exit code 0');
}

# root becomes the configured user
SKIP: {
	skip 'not root', 5 if $> != 0;
	skip 'no user nobody', 5 if !getpwnam('nobody');
	my ($uid, $gid) = (getpwnam('nobody'))[2, 3];
	# The module is loaded after the change: a build in /root is out of reach.
	my $module = "$ENV{builddir}/libsession/.libs/tls.so";
	my $can = fork // die;
	if ($can == 0) {
		($(, $)) = ($gid, "$gid $gid");
		($<, $>) = ($uid, $uid);
		exit(open(my $fh, '<', $module) ? 0 : 1);
	}
	waitpid $can, 0;
	skip "nobody can't read the build directory", 5 if $?;
	my $conf = $t->slurp('culver.conf');
	$t->spew('culver.conf', qq(user = "nobody"\n$conf));
	chown $uid, $gid, map { $t->path($_) } qw(mail run passwd);
	system('chown', '-R', "$uid:$gid", $t->path('mail'), $t->path('run'));
	my ($c, $pid) = nowait(@pop3d, 'pop3');
	$c->get;
	$c->ask('STLS');
	$c->tls;
	$c->ask('USER alice');
	like($c->ask('PASS secret'), qr/\A\+OK /, 'user: login over TLS');
	my $stat = do { local (@ARGV, $/) = "/proc/$pid/status"; <> };
	like($stat, qr/^Uid:\s+$uid\s+$uid\s+$uid\s+$uid$/m, 'user: all uids');
	like($stat, qr/^Gid:\s+$gid\s+$gid\s+$gid\s+$gid$/m, 'user: all gids');
	like($stat, qr/^NoNewPrivs:\s+1$/m, 'user: no new privileges');
	unlike($stat, qr/^CapEff:\s+0*[1-9a-f]/m, 'user: no capabilities');
	$c->ask('QUIT');
	status_of($pid);

	my $l = listening();
	$pid = run([$l, $null, $err[0]], {}, @pop3d, 'pop3');
	$c = CulverTest::Client->new($l->sockport, ca => $t->path('cert.pem'));
	$c->get;
	my ($child) = map { (split)[0] } grep { (split)[1] == $pid }
	    qx(ps -eo pid=,ppid=);
	$stat = do { local (@ARGV, $/) = "/proc/$child/status"; <> };
	like($stat, qr/^Uid:\s+$uid\s+$uid\s+$uid\s+$uid$/m,
		'user: the child in wait mode');
	# The key is root's, and is read again all the same.
	$t->certificate;
	my $d = CulverTest::Client->new($l->sockport,
		ca => $t->path('cert.pem'));
	$d->get;
	like($d->ask('STLS'), qr/\A\+OK/, 'user: STLS');
	ok(eval { $d->tls; 1 }, 'user: with a renewed certificate') or diag $@;
	kill 'TERM', $pid;
	status_of($pid);
}

done_testing();
