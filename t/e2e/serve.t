# t/e2e/serve.t - scripts/serve itself: starts, refuses, stops, cleans up
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverServe;
use IO::Socket::INET;
use JSON::XS;
use Test::More;

my $missing = CulverServe::missing();
plan skip_all => $missing if $missing;

my $s = CulverServe->new(options => [qw(--users 3 --hash fast --password),
	'p w"\\x']);
is($s->{code}, 0, 'starts') or BAIL_OUT($s->{out} . $s->logs);
my $t = $s->{target};
is_deeply([ sort keys %$t ], [ sort qw(imap imaps pop3 pop3s lmtp jmap users
	password pids culver conf) ], 'target.json has its keys');
is_deeply($t->{users}, [qw(user1 user2 user3)], 'users');
is($t->{password}, 'p w"\\x', 'password');
is($t->{imap}, $s->{base} + 143, 'ports are the base and so much');
is($t->{jmap}, 'https://127.0.0.1:' . ($s->{base} + 443)
	. '/.well-known/jmap', 'jmap');
ok(-x $t->{culver} && -f $t->{conf}, 'program and configuration');
ok((grep { kill 0, $_ } @{ $t->{pids} }) == @{ $t->{pids} }, 'pids are alive');
like($s->{out}, qr/mutt .*imaps:.*curl|curl .*mutt/s, 'says how to connect');

my @culver = ($t->{culver}, '-f', $t->{conf});
sub mailboxes {
	open(my $fh, '-|', @culver, qw(mailbox list --json), $_[0]) or die;
	local $/;
	return { map { $_->{path} => $_ } @{ decode_json(scalar <$fh>) } };
}
my $m = mailboxes('user3');
is($m->{INBOX}{total}, 4, 'samples are there');
is($m->{Sent}{role}, 'sent', 'and folders');
my (undef, $body) = $s->http('GET', $t->{jmap}, 'user2');
is(decode_json($body)->{username}, 'user2', 'JMAP answers user2');

# Loopback alone.
my @listen;
for my $f (qw(/proc/net/tcp /proc/net/tcp6)) {
	open(my $fh, '<', $f) or next;
	while (<$fh>) {
		my ($addr, $port, $st) =
		    /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2})/ or next;
		push @listen, $addr if $st eq '0A' && grep { hex($port) == $_ }
		    map { $s->{base} + $_ } 24, 110, 143, 443, 993, 995;
	}
}
is_deeply(\@listen, [ ('0100007F') x 6 ], 'listens on 127.0.0.1 alone');

# twice, and on the same ports
my ($code, $out) = $s->run('--background');
isnt($code, 0, 'a second one on the directory is refused');
like($out, qr/already.*--stop/s, 'and told how to end the first');
my $other = CulverServe->new(base => $s->{base}, options => ['--empty']);
isnt($other->{code}, 0, 'another on the same ports too');
like($other->{out}, qr/port \d+ \(\w+\) is in use/, 'which is told');
is_deeply([ $other->processes ], [], 'and nothing is left of it');

# daemons come back after they have gone: inetd goes on listening
my @daemons = map { /^(\d+) .*imapd .*-l imap / ? $1 : () } $s->processes;
cmp_ok(scalar @daemons, '>=', 1, 'a daemon waits');
kill 'TERM', @daemons;
my $again;
for (1 .. 100) {
	my $c = $s->client('imap');
	$again = $c->get(5);
	last if ($again // '') =~ /\A\* OK/;
	select(undef, undef, undef, 0.05);
}
like($again, qr/\A\* OK/, 'and is started again by a connection');

# stop, with a session open
my $c = $s->client('imap');
$c->get;
($code, $out) = $s->stop;
is($code, 0, 'stops');
is_deeply([ $s->processes ], [], 'no process is left');
ok(!-e "$s->{dir}/target.json", 'nor target.json');
ok(-d "$s->{dir}/mail/user1", 'the mail stays');
($code, $out) = $s->stop;
like($out, qr/Nothing runs/, 'and again does nothing');

# the next start goes on with the state; options take effect
my $conf = "$s->{dir}/lines";
open(my $fh, '>', $conf) or die;
print $fh "max-failures = 3\n";
close($fh);
($code, $out) = $s->run('--background', '--users', 5, '--hash', 'fast',
	'--folders', 'none', '--empty', '--conf', $conf);
is($code, 0, 'starts again') or diag $out, $s->logs;
$s->{target} = decode_json($s->slurp('target.json'));
is($s->{target}{password}, 'p w"\\x', 'with the same password');
is(mailboxes('user1')->{INBOX}{total}, 4, 'and mail');
is_deeply([ keys %{ mailboxes('user5') } ], ['INBOX'], '--folders none');
is(mailboxes('user5')->{INBOX}{total}, 0, '--empty');
open($fh, '-|', @culver, 'config') or die;
like(do { local $/; <$fh> }, qr/^max-failures = 3$/m, '--conf');
close($fh);

# killed: the next one clears up
my ($sup) = $s->slurp('run/serve.pid') =~ /\A(\d+)/;
kill 'KILL', $sup, @{ $s->{target}{pids} };
select(undef, undef, undef, 0.2);
cmp_ok(scalar $s->processes, '>', 0, 'daemons outlive a killed inetd');
($code, $out) = $s->run('--background', '--empty');
is($code, 0, 'starts after kill -9') or diag $out, $s->logs;
like($out, qr/earlier run/, 'and ends what was left');
$s->stop;
is_deeply([ $s->processes ], [], 'nothing is left after all');

# faults
for my $bad ([qw(--users 0)], [qw(--users 10001)], [qw(--base-port x)],
	[qw(--frob)], [qw(--hash slow)], [qw(--folders some)],
	[qw(--conf /nonexistent)], [qw(--dir)]) {
	($code, $out) = $s->run(@$bad);
	is($code, 100, "@$bad");
}
open($fh, '>', $conf) or die;
print $fh "frob = 3\n";
close($fh);
($code, $out) = $s->run('--background', '--conf', $conf);
is($code, 100, 'a faulty configuration');
like($out, qr/culver\.conf:\d+: .*frob/, 'is shown');
is_deeply([ $s->processes ], [], 'and nothing runs');

# in the foreground, until Ctrl-C
my $pid = fork // die;
if ($pid == 0) {
	# A shell can't trap what was ignored when it began (nohup, a job of &).
	$SIG{INT} = 'DEFAULT';
	open(STDOUT, '>', "$s->{dir}/fg");
	open(STDERR, '>&', \*STDOUT);
	exec($CulverServe::serve, '--dir', $s->{dir}, '--base-port', $s->{base},
		'--build', $CulverTest::builddir, '--empty') or exit 127;
}
for (1 .. 400) {
	last if -e "$s->{dir}/run/ready";
	select(undef, undef, undef, 0.05);
}
like($s->slurp('fg'), qr/Culver runs/, 'in the foreground');
kill 'INT', $pid;
waitpid($pid, 0);
is($? >> 8, 0, 'until Ctrl-C');
is_deeply([ $s->processes ], [], 'and nothing is left');

# a part that dies takes the rest with it, and says so
($code) = $s->run('--background', '--empty');
is($code, 0, 'runs again');
$t = decode_json($s->slurp('target.json'));
kill 'KILL', $t->{pids}[1];
for (1 .. 200) {
	last unless $s->processes;
	select(undef, undef, undef, 0.05);
}
is_deeply([ $s->processes ], [], 'without nginx nothing goes on');
like($s->slurp('log/serve.log'), qr/has ended: see/, 'and the log tells');

# as a normal user
SKIP: {
	skip 'not root', 3 if $> != 0;
	skip 'no runuser', 3 if system('command -v runuser >/dev/null 2>&1');
	my $dir = "$s->{dir}/n";
	my $src = "$s->{dir}/src";
	mkdir $dir;
	mkdir $src;
	chmod 0755, $s->{dir};
	chown((getpwnam 'nobody')[2, 3], $dir);
	# The trees may be where nobody can't read them.
	system("cd '$CulverTest::srcdir' && cp -rL scripts conf '$src'") == 0
	    or die;
	mkdir "$src/b";
	for my $p (qw(imapd pop3d lmtpd jmap-fcgi jmap-push culver)) {
		mkdir "$src/b/$p";
		system('cp', "$CulverTest::builddir/$p/$p", "$src/b/$p/$p");
	}
	mkdir "$src/b/libsession";
	system('cp', '-r', "$CulverTest::builddir/libsession/.libs",
		"$src/b/libsession/.libs");
	system('chmod', '-R', 'a+rX', $src);
	my @serve = ('runuser', '-u', 'nobody', '--', "$src/scripts/serve",
		'--dir', $dir, '--base-port', $s->{base}, '--build', "$src/b");
	is(system(join(' ', @serve) . " --background >$s->{dir}/nobody 2>&1"), 0,
		'as nobody') or diag $s->slurp('nobody'),
	    map { $s->slurp("n/log/$_") } qw(culver.log inetd.log nginx.log);
	my @p = $s->processes;
	my @root = grep {
		my ($p) = /^(\d+)/;
		my $st = do { local (@ARGV, $/) = "/proc/$p/status"; <> } // '';
		$st =~ /^Uid:\s+0\b/m;
	} grep { !/runuser/ } @p;
	ok(@p && !@root, 'no process of root\'s') or diag explain \@root;
	system(join(' ', @serve) . ' --stop >/dev/null 2>&1');
	is_deeply([ $s->processes ], [], 'stops');
}

done_testing;
