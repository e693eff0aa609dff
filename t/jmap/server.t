# t/jmap/server.t - the process: threads, limits, signals, its own socket
use strict;
use warnings;
use Fcntl qw(F_SETFD);
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => "jmap-max-concurrent-requests = 2\n"
	. "jmap-max-concurrent-upload = 2\nfailure-delay-ms = 1500\n"
	. "jmap-threads = 4\n");
my $T = JSON::PP::true;
my $inbox = $t->mailbox('inbox');
my $acct = $t->account;

my %status;

# Is it over, within that time?  $status{$pid} is then its status.
sub ended {
	my ($pid, $seconds) = @_;
	my $end = time + $seconds;
	do {
		return 1 if exists $status{$pid};
		if (waitpid($pid, WNOHANG) == $pid) {
			$status{$pid} = $?;
			return 1;
		}
		sleep 0.02 if $seconds;
	} while (time < $end);
	return 0;
}

sub post_head {
	my ($path, $n, $type) = @_;
	return "POST $path HTTP/1.1\r\nHost: localhost\r\nAuthorization: "
	    . $t->auth . "\r\nContent-Type: $type\r\nContent-Length: $n\r\n"
	    . "Connection: close\r\n\r\n";
}

# ---- many writers at once: each change is there, each exactly once
my $id = $t->import_mail("Subject: x\r\n\r\nx\r\n");
my @kids;
for my $k (1 .. 4) {
	my $pid = fork // die;
	if ($pid == 0) {
		delete $t->{conn};
		my $bad = 0;
		for my $i (1 .. 8) {
			my $r;
			for (1 .. 200) {	# only two at a time are let in
				$r = eval { $t->call('Mailbox/set', { create =>
					{ m => { name => "m$k-$i" } } }) };
				last if $r || $@ !~ /\A429/;
				sleep 0.02;
			}
			$bad++ unless $r && $r->{created};
		}
		POSIX::_exit($bad);
	}
	push @kids, $pid;
}
my $failed = 0;
for (@kids) {
	waitpid $_, 0;
	$failed += $? >> 8;
}
is($failed, 0, 'four writers at once');
is(scalar(grep { $_->{name} =~ /\Am/ }
	@{ $t->call('Mailbox/get', {})->{list} }), 32, 'all of their mailboxes');

# ---- a wrong password waits, without a thread: 8 of them on 4 threads
my @wrong = map { my $c = $t->raw; $c->put("GET /.well-known/jmap HTTP/1.1\r\n"
    . "Host: localhost\r\nAuthorization: " . $t->auth('alice', 'x')
    . "\r\nConnection: close\r\n\r\n"); $c } 1 .. 8;
my $start = time;
is($t->request('GET', '/.well-known/jmap')->{status}, 200,
    'others are served meanwhile');
cmp_ok(time - $start, '<', 1, 'at once');
my @got = map { $_->get } @wrong;
is(scalar(grep { defined && / 401 / } @got), 8, 'all are refused');
cmp_ok(time - $start, '>', 1, 'after the delay');

# ---- slow uploads: limited for an account, and others are served
my @slow = map { my $c = $t->raw;
    $c->put(post_head("/jmap/upload/$acct/", 1000, 'a/b') . 'x'); $c } 1 .. 3;
my $refused = 0;
for my $c (@slow) {
	$refused++ if ($c->get(0.7) // '') =~ / 429 /;
}
is($refused, 1, 'maxConcurrentUpload');
is($t->request('GET', '/.well-known/jmap')->{status}, 200,
    'while uploads are slow');
for my $c (grep { !length $_->{buf} } @slow) {
	$c->put('x' x 999);
}
is(scalar(grep { ($_->get // '') =~ / 201 / } @slow), 2, 'they come through');
my $c = $t->raw;
$c->put(post_head("/jmap/upload/$acct/", 1000, 'a/b') . 'x' x 500);
$c->close;
sleep 0.1;
ok($t->upload('y'), 'a broken upload holds nothing');

# ---- SIGTERM: what runs is finished
my $slow = $t->raw;
$slow->put(post_head("/jmap/upload/$acct/", 1000, 'a/b') . 'x');
sleep 0.2;
kill TERM => $t->{jmap_pid};
sleep 0.2;
$slow->put('x' x 999);
like($slow->get // '', qr/ 201 /, 'SIGTERM: an upload is finished');
ok(ended($t->{jmap_pid}, 6), 'and then it ends');
is($status{ $t->{jmap_pid} }, 0, 'in good order');

# ---- it makes its own socket, over a stale one
my $own = CulverTest->new(users => { alice => 'secret' });
my $sock = $own->path('own.sock');
my $conf = $own->slurp('culver.conf');
$own->spew('culver.conf', $conf . CulverJmap::engine() . qq(listener jmap { protocol = "jmap" )
    . qq(address = "unix:$sock" linger = 1 }\n));
sub spawn_own {
	my (@args) = @_;
	my $pid = fork // die;
	if ($pid == 0) {
		open(STDIN, '<', '/dev/null');
		open(STDERR, '>>', $own->path('stderr'));
		exec($own->program('jmap-fcgi'), '-f', $own->conf_file, @args)
		    or POSIX::_exit(127);
	}
	push @{ $own->{pids} }, $pid;
	for (1 .. 200) {
		last if -S $sock && IO::Socket::UNIX->new(Peer => $sock);
		last if ended($pid, 0);
		sleep 0.02;
	}
	return $pid;
}
my $pid = spawn_own('-l', 'jmap');
ok(IO::Socket::UNIX->new(Peer => $sock), 'its own socket');
is((stat $sock)[2] & 0777, 0660, 'mode 0660');
kill KILL => $pid;
ended($pid, 5);
ok(-S $sock, 'a stale socket');
$pid = spawn_own();
ok(IO::Socket::UNIX->new(Peer => $sock), 'is replaced; -l is not needed');
sleep 1.5;
ok(!ended($pid, 0), 'its own socket: it stays when idle');
for (['-l', 'nope'], ['-l', 'imap'], ['-x'], ['more']) {
	my $p = spawn_own(@$_);
	ended($p, 5);
	is($status{$p} >> 8, 100, "@$_: exit 100");
}
ok(IO::Socket::UNIX->new(Peer => $sock), 'a living socket is left alone');
kill INT => $pid;
ok(ended($pid, 6), 'SIGINT ends it');

# ---- given a socket, it goes when idle
my $l = IO::Socket::UNIX->new(Local => $own->path('given.sock'), Listen => 5);
$pid = $own->spawn($l, 'jmap-fcgi', 'jmap');
ok(ended($pid, 6), 'a given socket: it ends when idle for linger');
is($status{$pid}, 0, 'in good order');
my $fd = fileno($l);
$pid = fork // die;
if ($pid == 0) {
	open(STDIN, '<', '/dev/null');
	POSIX::dup2($fd, 3);
	my $three = IO::Handle->new_from_fd(3, 'r');
	fcntl($three, F_SETFD, 0);
	$ENV{LISTEN_FDS} = 1;
	$ENV{LISTEN_PID} = $$;
	exec($own->program('jmap-fcgi'), '-f', $own->conf_file)
	    or POSIX::_exit(127);
}
sleep 0.3;
ok(!ended($pid, 0), 'LISTEN_FDS');
kill TERM => $pid;
ok(ended($pid, 6), 'SIGTERM');
is($status{$pid}, 0, 'in good order');
done_testing();
