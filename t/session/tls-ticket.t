# t/session/tls-ticket.t - session tickets: the key is renewed by itself, and those by
# the key before are still good
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use CulverTls;
use Test::More;

plan skip_all => 'no openssl' if system('openssl version >/dev/null 2>&1');
my $t = CulverTest->new(tls => 1, conf => "ticket-lifetime = 1h\n");
my %port = (imaps => $t->start('imapd', 'imaps'),
	pop3s => $t->start('pop3d', 'pop3s'));
my $file = $t->path('ticket.key');
my %bye = (imaps => 'a LOGOUT', pop3s => 'QUIT');

# "New" or "Reused"; each connection is another process.
sub connection {
	my ($listener, $version, @args) = @_;
	my $text = qx((sleep 0.2; printf '$bye{$listener}\\r\\n'; sleep 0.2) 2>/dev/null | openssl s_client -connect 127.0.0.1:$port{$listener} -$version -ign_eof @args 2>&1);
	return $text =~ /^(New|Reused), /m ? $1 : $text;
}

sub aged {
	my ($seconds) = @_;
	my $then = time - $seconds;
	utime $then, $then, $file or die "$file: $!";
}

sub keys_of { my $k = $t->slurp('ticket.key'); return unpack 'a64 a64', $k }

for my $v ('tls1_2', 'tls1_3') {
	my $sess = $t->path("sess.$v");
	is(connection('imaps', $v, '-sess_out', $sess), 'New', "$v: a session");
	is(connection('imaps', $v, '-sess_in', $sess), 'Reused',
		"$v: resumed by another process");
	my ($key, $before) = keys_of();
	is(length "$key$before", 128, "$v: two keys in the file");

	aged(3500);
	is(connection('imaps', $v, '-sess_in', $sess), 'Reused', "$v: not yet");
	is((keys_of())[0], $key, "$v: the same key");

	aged(3700);
	is(connection('imaps', $v, '-sess_in', $sess), 'Reused',
		"$v: the key is renewed: a ticket by the one before is taken");
	my ($new, $old) = keys_of();
	isnt($new, $key, "$v: another key");
	is($old, $key, "$v: which was the current one is the one before");
	is((stat $file)[2] & 07777, 0600, "$v: for us alone");
	cmp_ok(time - (stat $file)[9], '<', 600, "$v: as old as that");
	is(connection('pop3s', $v, '-sess_in', $sess), 'Reused',
		"$v: pop3d knows, too");
	is(connection('imaps', $v, '-sess_out', "$sess.2"), 'New', "$v: a new one");
	is(connection('pop3s', $v, '-sess_in', "$sess.2"), 'Reused',
		"$v: is good");

	# Twice: the ticket's key is gone.
	aged(3700);
	is(connection('pop3s', $v, '-sess_in', "$sess.2"), 'Reused',
		"$v: renewed once more");
	is(connection('imaps', $v, '-sess_in', $sess), 'New',
		"$v: nobody has the key of the first ticket any more");
}

# -- many at once, each of its own (not in wait mode): one of them renews it
{
	my ($key) = keys_of();
	aged(3700);
	my @pid;
	for (1 .. 12) {
		my ($l, $c);
		socketpair($l, $c, Socket::AF_UNIX(), Socket::SOCK_STREAM(), 0)
		    or die;
		close $c;
		push @pid, $t->spawn($l, 'pop3d', 'pop3s');
	}
	waitpid $_, 0 for @pid;
	my ($new, $old) = keys_of();
	isnt($new, $key, 'several processes at once: renewed');
	is($old, $key, '... once');
	is_deeply([ glob "$file.*" ], [], '... and nothing is left behind');
}

# -- a file of another day's format, one that can't be renewed
{
	my ($key) = keys_of();
	$t->spew('ticket.key', $key);
	chmod 0600, $file;
	my $sess = $t->path('sess.64');
	is(connection('imaps', 'tls1_3', '-sess_out', $sess), 'New',
		'a file of 64 octets');
	is(connection('pop3s', 'tls1_3', '-sess_in', $sess), 'Reused', '... does');
	aged(3700);
	is(connection('pop3s', 'tls1_3', '-sess_in', $sess), 'Reused',
		'... and is renewed');
	is((keys_of())[1], $key, '... with its key as the one before');
	SKIP: {
		skip 'root writes everywhere', 2 if $> == 0;
		aged(3700);
		chmod 0500, $t->{dir};
		is(connection('imaps', 'tls1_3', '-sess_in', $sess), 'Reused',
			'it can\'t be renewed: the old one does');
		chmod 0755, $t->{dir};
		like(CulverTls::logged($t, qr/can't be renewed/),
			qr/ticket\.key/, '... logged');
	}
}

# -- nowhere to keep it
{
	my $u = CulverTest->new(tls => 1);
	$u->spew('culver.conf', $u->slurp('culver.conf')
		=~ s{^ticket-key.*}{ticket-key = "/proc/none/ticket.key"}mr);
	my $port = $u->start('pop3d', 'pop3s');
	my ($c) = CulverTls::client($u, $port);
	like($c && $c->get, qr/\A\+OK/, 'no file for the key: TLS all the same');
	like(CulverTls::logged($u, qr/ticket\.key: can't be made/), qr/none/,
		'... which is logged') or diag $u->slurp('stderr');
	$u->stop;
}
done_testing();
