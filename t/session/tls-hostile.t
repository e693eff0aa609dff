# t/session/tls-hostile.t - hellos that are not what they should be: no process dies of
# one, and the next client is served
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use CulverTls;
use IO::Select;
use Test::More;

plan skip_all => 'no openssl' if system('openssl version >/dev/null 2>&1');
my $t = CulverTest->new(tls => 1);
my $port = $t->start('pop3d', 'pop3s');

# What openssl sends first, with a ticket in it.
sub hello {
	my (@args) = @_;
	my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
	    or die;
	my $pid = fork // die;
	if ($pid == 0) {
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', '/dev/null');
		open(STDERR, '>', '/dev/null');
		exec('openssl', 's_client', '-connect',
			'127.0.0.1:' . $l->sockport, @args) or POSIX::_exit(1);
	}
	my $s = $l->accept;
	sysread($s, my $text, 65536);
	close $s;
	waitpid($pid, 0);
	return $text;
}

my @hello;
for my $v ('-tls1_2', '-tls1_3') {
	my $sess = $t->path("sess$v");
	system("(sleep 0.2; printf 'QUIT\\r\\n'; sleep 0.2) | openssl s_client -connect 127.0.0.1:$port $v -ign_eof -sess_out $sess >/dev/null 2>&1");
	ok(-s $sess, "$v: a ticket");
	push @hello, hello($v, '-sess_in', $sess, '-alpn', 'pop3',
		'-servername', 'localhost', '-status');
}
cmp_ok(length $_, '>', 200, 'a hello of ' . length($_) . ' octets') for @hello;

# Is there an answer or an end, in time?
sub answered {
	my ($text) = @_;
	my $c = $t->connect($port);
	$c->put($text);
	shutdown($c->{sock}, 1);
	return $c->ended;
}
srand 7;
my $silent = 0;
for my $i (1 .. 240) {
	my $h = $hello[$i % 2];
	if ($i % 3 == 0) {	# cut short, its length in order or not
		$h = substr($h, 0, 5 + int rand(length($h) - 5));
		substr($h, 3, 2) = pack 'n', length($h) - 5 if $i % 2;
	} else {
		for (0 .. rand 4) {
			substr($h, 5 + int rand(length($h) - 5), 1) =
			    chr int rand 256;
		}
	}
	$silent++ if !answered($h);
}
is($silent, 0, '240 damaged hellos: each is answered, or the end');
unlike($t->slurp('log'), qr/ended by signal|ended with status/,
	'... and no process died');
unlike($t->slurp('stderr'), qr/Sanitizer|runtime error/, '... or complained');
my ($c) = CulverTls::client($t, $port);
like($c && $c->get, qr/\A\+OK/, 'the next client is served');
done_testing();
