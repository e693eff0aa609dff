# t/session/tls-names.t - which certificate a client gets, files that change, OCSP
# staples, ALPN
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use CulverTls;
use Test::More;

my $t = CulverTest->new(tls => 1, conf => <<'END');
tls "exact" {
	certificate = "@DIR@/exact.pem"
	key = "@DIR@/exact.key"
	ocsp-response = "@DIR@/exact.ocsp"
}
tls "rsa" { certificate = "@DIR@/rsa.pem" key = "@DIR@/rsa.key" }
listener other { protocol = "pop3" tls = "implicit" tls-section = "wild" }
tls "wild" { certificate = "@DIR@/wild.pem" key = "@DIR@/wild.key" }
END
CulverTls::authority($t, 'ca');

sub exact {
	CulverTls::certificate($t, 'exact', ca => 'ca', cn => $_[0], ext =>
		[ 'subjectAltName=DNS:imap.example.org,DNS:example.net' ]);
}

# A response of the authority about a certificate; seconds from now.
sub ocsp {
	my ($name, $out, $from, $until, $revoked) = @_;
	my $serial = qx(openssl x509 -noout -serial -in @{[$t->path("$name.pem")]})
	    =~ s/serial=(\S+)\n/$1/r;
	my $flag = $revoked ? "R\t300101000000Z\t260101000000Z" :
	    "V\t300101000000Z\t";
	$t->spew('index', "$flag\t$serial\tunknown\t/CN=$name\n");
	CulverTls::run(qw(openssl ocsp -issuer), $t->path('ca.pem'), '-cert',
		$t->path("$name.pem"), '-reqout', $t->path('req'), '-no_nonce');
	CulverTls::run(qw(openssl ocsp -index), $t->path('index'), '-CA',
		$t->path('ca.pem'), '-rsigner', $t->path('ca.pem'), '-rkey',
		$t->path('ca.key'), '-reqin', $t->path('req'), '-respout',
		$t->path("$out.new"), ($until ? ('-nmin', $until) : ()));
	rename $t->path("$out.new"), $t->path($out) or die;
}

exact('exact 1');
CulverTls::certificate($t, 'wild', cn => 'wild', ext =>
	[ 'subjectAltName=DNS:*.example.org,DNS:*.example.com' ]);
CulverTls::certificate($t, 'rsa', rsa => 1, ext => [ 'subjectAltName=DNS:example.net' ]);
ocsp('exact', 'exact.ocsp', 0, 60);
my $imaps = $t->start('imapd', 'imaps');
my $pop3s = $t->start('pop3d', 'pop3s');
my $pop3 = $t->start('pop3d', 'pop3');

sub subject {
	my ($port, $host, %o) = @_;
	my ($c, $why) = CulverTls::client($t, $port,
		SSL_hostname => $host // '', %o);
	return $why if !$c;
	my $cn = $c->{sock}->peer_certificate('commonName');
	$c->close;
	return $cn;
}

# -- SNI
for my $case ([ 'imap.example.org', 'exact 1' ], [ 'EXAMPLE.NET', 'exact 1' ],
	[ 'pop.example.org', 'wild' ], [ 'a.example.com', 'wild' ],
	[ 'a.b.example.com', 'localhost' ], [ 'example.com', 'localhost' ],
	[ 'localhost', 'localhost' ], [ 'other.test', 'localhost' ],
	[ '', 'localhost' ]) {
	my ($host, $cn) = @$case;
	is(subject($imaps, $host), $cn, "SNI '$host': $cn");
}
is(subject($pop3s, 'imap.example.org', SSL_version => 'TLSv1_2'), 'exact 1',
	'TLS 1.2');
is(subject($pop3, 'pop.example.org', starttls => 'STLS'), 'wild', 'STARTTLS');

# -- a listener with a first one of its own
{
	my $other = $t->start('pop3d', 'other');
	is(subject($other, ''), 'wild', 'tls-section: no name');
	is(subject($other, 'localhost'), 'localhost', 'tls-section: a name');
	is(subject($other, 'other.test'), 'wild', 'tls-section: an unknown one');
}

# -- by the kind of key that a client knows
sub cipher {
	my ($host, @args) = @_;
	my ($cn) = qx(openssl s_client -connect 127.0.0.1:$imaps -servername $host @args </dev/null 2>&1)
	    =~ /^subject=CN = (.*)/m;
	return $cn // 'none';
}
for my $v ('-tls1_2', '-tls1_3') {
	is(cipher('example.net', $v, '-sigalgs', 'RSA-PSS+SHA256:RSA+SHA256'), 'rsa',
		"$v: a client that knows RSA alone");
	is(cipher('example.net', $v, '-sigalgs', 'ECDSA+SHA256'), 'exact 1',
		"$v: ... ECDSA alone");
	is(cipher('example.net', $v), 'exact 1', "$v: ... both: the first");
	is(cipher('other.test', $v, '-sigalgs', 'RSA-PSS+SHA256:RSA+SHA256'), 'rsa',
		"$v: ... RSA, and no name of ours: better than none");
}

# -- a process for each connection reads what it needs
sub alone {
	my ($host) = @_;
	my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
	    or die;
	my $c = $t->connect($l->sockport);
	my $s = $l->accept;
	$t->spawn($s, 'imapd', 'imaps');
	close $s;
	IO::Socket::SSL->start_SSL($c->{sock}, Timeout => 10,
		SSL_verify_mode => 0, SSL_hostname => $host)
	    or return $IO::Socket::SSL::SSL_ERROR;
	return $c->{sock}->peer_certificate('commonName');
}
is(alone('imap.example.org'), 'exact 1', 'not in wait mode: by name');
is(alone('pop.example.org'), 'wild', '... by wildcard');
is(alone('other.test'), 'localhost', '... the first');
{
	my $good = $t->slurp('wild.pem');
	$t->spew('wild.pem', "garbage\n");
	is(alone('imap.example.org'), 'exact 1', '... where another one is broken');
	is(alone('pop.example.org'), 'localhost', '... the first for the broken one');
	like(CulverTls::logged($t, qr/TLS: certificate: .*wild\.pem/), qr/./,
		'... which is logged');
	$t->spew('wild.pem', $good);
}

# -- OCSP
sub staple {
	my ($host, $v) = @_;
	return scalar qx(openssl s_client -connect 127.0.0.1:$imaps -servername $host -status $v -CAfile @{[$t->path('ca.pem')]} </dev/null 2>&1);
}
for my $v ('-tls1_2', '-tls1_3') {
	like(staple('imap.example.org', $v), qr/OCSP Response Status: successful.*Cert Status: good/s,
		"$v: stapled");
	like(staple('pop.example.org', $v), qr/OCSP response: no response sent/,
		"$v: another certificate has none");
}
ocsp('exact', 'exact.ocsp', 0, 0, 1);
like(staple('imap.example.org', ''), qr/no response sent/,
	'a revoked one is not stapled');
like(CulverTls::logged($t, qr/OCSP response/), qr/revoked.*exact\.pem/,
	'... but logged');
ocsp('exact', 'exact.ocsp', 0, 60);
like(staple('imap.example.org', ''), qr/Cert Status: good/, 'a good one again');
$t->spew('exact.ocsp', $t->slurp('exact.ocsp') =~ s/20\d{12}Z/20200101000000Z/gr);
like(staple('imap.example.org', ''), qr/no response sent/,
	'one that has expired is not stapled');
like(CulverTls::logged($t, qr/OCSP response: it has expired/), qr/exact\.pem/,
	'... but logged');
ocsp('wild', 'exact.ocsp', 0, 60);
like(staple('imap.example.org', ''), qr/no response sent/,
	'nor is one about another certificate');
like(CulverTls::logged($t, qr/OCSP response: .*another certificate/),
	qr/exact\.pem/, '... which is logged');
$t->spew('exact.ocsp', "garbage");
is(subject($imaps, 'imap.example.org'), 'exact 1', 'garbage for a response: TLS goes on');
like(staple('imap.example.org', ''), qr/no response sent/, '... without');
# -- files that change
exact('exact 2');
is(subject($imaps, 'example.net'), 'exact 2', 'a renewed certificate is served');
is(subject($imaps, 'localhost'), 'localhost', '... the others still');
my $good = $t->slurp('exact.pem');
for my $bad ([ 'garbage', "garbage\n" ], [ 'of another key', $t->slurp('wild.pem') ],
	[ 'empty', '' ]) {
	$t->spew('exact.pem', $bad->[1]);
	is(subject($imaps, 'example.net'), 'exact 2', "a new one that is $bad->[0]: the old one stays");
}
like(CulverTls::logged($t, qr/\(\S+exact\.pem\)/), qr/TLS: /, '... which is logged');
like(CulverTls::logged($t, qr/not in force/), qr/./, '... too');
unlink $t->path('exact.pem');
is(subject($imaps, 'example.net'), 'exact 2', 'none at all: the old one stays');
exact('exact 3');
is(subject($imaps, 'example.net'), 'exact 3', 'mended: the new one');

# -- ALPN
sub alpn {
	my ($port, $list, %o) = @_;
	my ($c, $why) = CulverTls::client($t, $port,
		$list ? (SSL_alpn_protocols => $list) : (), %o);
	return $why if !$c;
	return ($c->{sock}->alpn_selected // 'none')
	    . ($c->get =~ /OK/ ? '' : ' and no greeting');
}
is(alpn($imaps, [ 'imap' ]), 'imap', 'ALPN: imap');
is(alpn($pop3s, [ 'h2', 'pop3' ]), 'pop3', 'ALPN: one of several');
is(alpn($imaps, undef), 'none', 'a client without ALPN is served');
for my $v ('TLSv1_2', 'TLSv1_3') {
	like(alpn($imaps, [ 'pop3', 'http/1.1' ], SSL_version => $v),
		qr/no.application.protocol/i, "$v: another protocol is refused");
}
like(CulverTls::logged($t, qr/TLS failed/), qr/peer=127\.0\.0\.1:\d+ listener=imaps: TLS handshake: .*application protocol/i,
	'... with the peer and the reason in the log');

# -- versions
is(subject($imaps, 'localhost', SSL_version => 'TLSv1_2'), 'localhost', 'TLS 1.2');
isnt(subject($imaps, 'localhost', SSL_version => 'TLSv1_1', SSL_cipher_list => 'ALL:@SECLEVEL=0'), 'localhost',
	'TLS 1.1 is refused');
done_testing();
