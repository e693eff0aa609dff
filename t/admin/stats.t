# t/admin/stats.t - culver stats: what the servers counted
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::PP;
use POSIX ();
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret',
	map { ("u$_" => 'secret') } 1 .. 8 });

sub stats {
	my ($code, $out, $err) = $t->culver('stats', '--json');
	is($code, 0, 'exit code') or diag $err;
	return { map { delete $_->{protocol} => $_ } @{ decode_json($out) } };
}

is(stats()->{imap}{sessions}, 0, 'nothing yet');

my $pop3 = $t->start('pop3d', 'pop3');
my $imap = $t->start('imapd', 'imap');

sub pop3 {
	my $c = $t->connect($pop3);
	$c->get;
	$c->ask($_) for @_;
	$c->rest;
}

sub counted {	# a session is counted after its connection is closed
	my ($protocol, $n) = @_;
	my ($code, $out);
	for (1 .. 400) {
		($code, $out) = $t->culver('stats', '--prometheus');
		return $out if $out =~ /^culver_sessions_total\{protocol="$protocol"\} $n$/m;
		select(undef, undef, undef, 0.02);
	}
	return $out;
}

my @pids;
for my $i (1 .. 8) {	# at once
	push @pids, fork // die "fork: $!";
	next if $pids[-1];
	pop3("USER u$i", 'PASS secret', 'RETR 1', 'QUIT') for 1 .. 5;
	POSIX::_exit(0);
}
waitpid($_, 0) for @pids;
pop3('USER alice', 'PASS wrong', 'QUIT');
my $text = counted('pop3', 41);
like($text, qr/^# TYPE culver_sessions_total counter$/m, 'Prometheus: the type');
like($text, qr/^culver_sessions_total\{protocol="pop3"\} 41$/m, 'none is lost');
my $s = stats()->{pop3};
is($s->{commands}, 8 * 5 * 4 + 3, 'commands');
is($s->{refused_commands}, 8 * 5 + 1, 'refused ones');
is($s->{logins}, 40, 'logins');
is($s->{login_failures}, 1, 'failed ones');
cmp_ok($s->{received_bytes}, '>', 41 * 20, 'octets in');
cmp_ok($s->{sent_bytes}, '>', 41 * 20, 'octets out');
is(stats()->{imap}{sessions}, 0, 'imap has its own');

# A damaged file is replaced; it doesn't hurt anybody.
my $n = 0;
for my $damage (sub { truncate($_[0], 100) }, sub { truncate($_[0], 0) },
    sub { $t->spew('run/stats', "\xff" x 4096) },
    sub { $t->spew('run/stats', 'x' x 100000) },
    sub { unlink $_[0]; symlink('/etc/passwd', $_[0]) or die }) {
	$n++;
	$damage->($t->path('run/stats'));
	is(stats()->{pop3}{sessions}, 0, "damage $n: begins anew") if $n < 5;
	unlink $t->path('run/stats') if $n == 5 && stats_link();
	pop3('USER alice', 'PASS secret', 'QUIT');
	like(counted('pop3', 1), qr/sessions_total\{protocol="pop3"\} 1$/m,
	    "damage $n: counts again");
}

# A link is not followed.
sub stats_link {
	pop3('USER alice', 'PASS secret', 'QUIT');
	my ($code) = $t->culver('stats');
	is($code, 111, 'a link is not read');
	return 1;
}

# While a session lasts.
{
	my $c = $t->connect($pop3);
	$c->get;
	truncate($t->path('run/stats'), 10);
	$c->ask('USER alice');
	$c->ask('PASS secret');
	like($c->ask('QUIT'), qr/\A\+OK/, 'truncated within a session');
	pop3('QUIT');
	like(counted('pop3', 1), qr/sessions_total\{protocol="pop3"\} 1$/m,
	    'that one is not counted, the next is');
}
$t->stop;
unlike($t->slurp('log') . $t->slurp('stderr'), qr/Sanitizer|killed|signal/,
    'no process died');
done_testing();
