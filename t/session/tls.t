# t/session/tls.t - STARTTLS, implicit TLS, resumption, and what goes wrong
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use IPC::Open3;
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(time sleep);

my $t = CulverTest->new(tls => 1, conf => <<'END');
listener slow { protocol = "pop3" tls = "implicit" login-timeout = 1 linger = 5 }
END
my $pop3 = $t->start('pop3d', 'pop3');
my $pop3s = $t->start('pop3d', 'pop3s');
my $slow = $t->start('pop3d', 'slow');

sub client { my $c = $t->connect($pop3); $c->get; return $c }

# The log's last line that matches, once it is there.
sub logged {
	my ($re) = @_;
	my $end = time + 5;
	while (time < $end) {
		my @l = grep { $_ =~ $re } split /\n/, $t->slurp('log');
		return $l[-1] if @l;
		sleep 0.02;
	}
	return '';
}

# -- STARTTLS and what lies before it
{
	my $c = client();
	is($c->ask('STLS'), '+OK Begin TLS negotiation', 'STLS');
	$c->tls;
	like($c->ask('STLS'), qr/\A-ERR /, 'not twice');
	like($c->ask('USER alice'), qr/\A\+OK/, 'a command within TLS');
	like($c->ask('PASS secret'), qr/\A\+OK/, 'login within TLS');
	$c->ask('QUIT');

	# In the same piece as STLS: thrown away.
	$c = client();
	$c->put("STLS\r\nUSER alice\r\nPASS secret\r\nSTAT\r\n");
	like($c->get, qr/\A\+OK Begin/, 'STLS with commands behind it');
	$c->tls;
	my $answer = $c->ask('STAT');
	like($answer, qr/\A-ERR STAT is not/, 'they were not obeyed');
	like(logged(qr/STARTTLS: 31 octets that came before TLS/), qr/not obeyed/,
		'... logged');
	$c->close;

	# In the next piece, before the handshake: that is no TLS.
	$c = client();
	like($c->ask('STLS'), qr/\A\+OK/, 'STLS');
	$c->put("USER alice\r\nPASS secret\r\n");
	unlike($c->rest, qr/\+OK/, 'plaintext instead of a handshake: no answer');
	like(logged(qr/end: connection failed .TLS handshake/), qr/user=-/,
		'plaintext instead of a handshake: logged');
}

# -- implicit TLS
{
	my $c = $t->connect($pop3s, tls => 1);
	like($c->get, qr/\A\+OK/, 'implicit TLS');
	$c->ask('USER alice');
	$c->ask('PASS secret');
	$c->ask('QUIT');
	like(logged(qr/user=alice.*TLS1\.3/), qr/end: done/, 'its cipher is logged');

	$c = $t->connect($pop3s);
	$c->put("USER alice\r\n");
	unlike($c->rest, qr/OK/, 'plaintext on a TLS port: nothing is said');

	$t->connect($pop3s)->close;
	like(logged(qr/TLS failed: .*listener=pop3s: .*terminated/), qr/peer=127/,
		'a client that says nothing and leaves: logged');
	like(logged(qr/end: closed by the peer \(TLS/), qr/user=-/, '... as that');

	my $start = time;
	$c = $t->connect($slow);
	is($c->rest, '', 'a client that says nothing: closed');
	cmp_ok(time - $start, '<', 4, '... in time');
	like(logged(qr/TLS handshake: timeout/), qr/end: timeout/, '... logged');

	# The TCP connection ends without TLS's goodbye.
	$c = $t->connect($pop3s, tls => 1);
	$c->get;
	shutdown($c->{sock}, 1);
	$c->{sock}->close(SSL_no_shutdown => 1);
	like(logged(qr/without TLS close_notify/), qr/end: closed by the peer/,
		'a truncated connection is noticed');
}

# -- versions
sub openssl {
	my ($input, @args) = @_;
	my $pid = open3(my $in, my $out, undef, 'openssl', 's_client',
		'-connect', "127.0.0.1:$pop3s", '-CAfile', $t->path('cert.pem'),
		'-quiet', '-no_ign_eof', @args);
	my $text = '';
	print $in $input;
	$in->flush;
	local $SIG{ALRM} = sub { kill 'KILL', $pid };
	alarm 10;
	while (my $l = <$out>) { $text .= $l }
	alarm 0;
	waitpid($pid, 0);
	return $text;
}

SKIP: {
	skip 'no openssl', 10 if system('openssl version >/dev/null 2>&1');
	my $text = `openssl s_client -connect 127.0.0.1:$pop3s -tls1_1 -cipher ALL:\@SECLEVEL=0 </dev/null 2>&1`;
	like($text, qr/alert|handshake failure|no protocols/i, 'TLS 1.1 is refused');

	# -- resumption: each connection is another process
	for my $v ('tls1_2', 'tls1_3') {
		my $sess = $t->path("sess.$v");
		my $cmd = "(sleep 0.3; printf 'QUIT\\r\\n'; sleep 0.3) | openssl "
		    . "s_client -connect 127.0.0.1:$pop3s -$v -ign_eof";
		my $first = `$cmd -sess_out $sess 2>&1`;
		like($first, qr/^New, /m, "$v: a new session");
		ok(-s $sess, "$v: with a ticket");
		my $second = `$cmd -sess_in $sess 2>&1`;
		like($second, qr/^Reused, /m, "$v: resumed by another process");
		like(logged(qr/resumed/), qr/tls=.*resumed/, "$v: logged");
	}
	# Another key file: the old tickets are worth nothing, and that is all.
	unlink $t->path('ticket.key');
	my $cmd = "(sleep 0.3; printf 'QUIT\\r\\n'; sleep 0.3) | openssl "
	    . "s_client -connect 127.0.0.1:$pop3s -tls1_3 -ign_eof";
	my $third = `$cmd -sess_in @{[$t->path('sess.tls1_3')]} 2>&1`;
	like($third, qr/^New, /m, 'a new ticket key: a full handshake');
	is((stat $t->path('ticket.key'))[7], 128, 'it was made');
	is((stat _)[2] & 0777, 0600, 'for us alone');
}

# -- files that don't do
sub refused {
	my ($what, $re, %change) = @_;
	my $u = CulverTest->new(tls => 1);
	my $conf = $u->slurp('culver.conf');
	$change{prepare}->($u) if $change{prepare};
	$u->spew('culver.conf', $change{conf}->($conf, $u)) if $change{conf};
	my $pid = do {
		my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
			Listen => 5) or die;
		$u->spawn($l, 'pop3d', 'pop3');
	};
	my $end = time + 5;
	my $status;
	while (time < $end) {
		if (waitpid($pid, WNOHANG) == $pid) { $status = $?; last }
		sleep 0.02;
	}
	is(defined $status ? $status >> 8 : 'runs', 100, "$what: exit code 100");
	my $text = $u->slurp('stderr') . $u->slurp('log');
	like($text, $re, "$what: why");
	$u->cleanup;
}
refused('a key of another certificate', qr/TLS: private key: .*key/i,
	prepare => sub {
		my $u = shift;
		my $cert = $u->slurp('cert.pem');
		$u->certificate;
		$u->spew('cert.pem', $cert);
	});
refused('garbage for a certificate', qr/TLS: certificate: /,
	prepare => sub { $_[0]->spew('cert.pem', "garbage\n") });
refused('garbage for a key', qr/TLS: private key: /,
	prepare => sub { $_[0]->spew('key.pem', "garbage\n") });
refused('a bad priority string', qr/TLS: priorities: /,
	conf => sub { qq(tls-priority = "NORMAL:+BLURDY"\n) . $_[0] });
refused('TLS 1.1 in the priority string', qr/TLS: priorities: only TLS 1\.2/,
	conf => sub { qq(tls-priority = "NORMAL:+VERS-TLS1.1"\n) . $_[0] });
refused('a ticket key of the wrong size', qr/ticket\.key: Invalid argument/,
	prepare => sub { my $u = shift; $u->spew('ticket.key', 'x' x 63);
		chmod 0600, $u->path('ticket.key') });
refused('a ticket key for all to read', qr/ticket\.key: Operation not permitted/,
	prepare => sub { my $u = shift; $u->spew('ticket.key', 'x' x 64);
		chmod 0644, $u->path('ticket.key') });
refused('no module', qr/TLS module: .*tls\.so/,
	conf => sub { $_[0] =~ s/^module-dir.*$/module-dir = "\/nonexistent"/mr });

# -- a renewed certificate is served without a restart
{
	my $before = $t->slurp('cert.pem');
	$t->certificate;
	isnt($t->slurp('cert.pem'), $before, 'another certificate');
	my $c = client();
	$c->ask('STLS');
	ok(eval { $c->tls; 1 }, 'it is served') or diag $@;
	$c->close;
}

# -- large messages through TLS, byte for byte
{
	my $lmtp = $t->start('lmtpd', 'lmtp');
	my $body = join '', map { sprintf("%08d %s\r\n", $_, 'x' x ($_ % 70)) }
	    1 .. 40_000;
	my $c = $t->connect($lmtp);
	$c->get;
	$c->line('LHLO test');
	1 while $c->get !~ /\A250 /;
	$c->ask($_) for 'MAIL FROM:<>', 'RCPT TO:<alice>', 'DATA';
	$c->put("Subject: large\r\n\r\n$body.\r\n");
	like($c->get, qr/\A250 /, 'a message of ' . length($body) . ' octets');
	for my $how ('plain', 'STLS', 'implicit') {
		$c = $t->connect($how eq 'implicit' ? $pop3s : $pop3,
			tls => $how eq 'implicit');
		$c->get;
		if ($how eq 'STLS') {
			$c->ask('STLS');
			$c->tls;
		}
		$c->ask('USER alice');
		$c->ask('PASS secret');
		like($c->ask('RETR 1'), qr/\A\+OK/, "$how: RETR");
		my $m = $c->multi // '';
		ok(length $m > length $body
			&& substr($m, -length $body) eq $body, "$how: octets");
		$c->ask('QUIT');
	}
}
done_testing();
