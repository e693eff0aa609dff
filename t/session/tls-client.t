# t/session/tls-client.t - certificates of clients, and SASL EXTERNAL (RFC 4422
# appendix A) by them
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use CulverTls;
use MIME::Base64;
use Test::More;

plan skip_all => 'no openssl' if system('openssl version >/dev/null 2>&1');
my $listeners = <<'END';
client-ca-file = "@DIR@/ca.pem"
client-crl-file = "@DIR@/ca.crl"
domains = {"example.org"}
listener opt { protocol = "imap" tls = "implicit" client-certificate = "optional" }
listener optpop { protocol = "pop3" tls = "starttls" client-certificate = "optional" }
listener req { protocol = "imap" tls = "implicit" client-certificate = "required" }
listener reqpop { protocol = "pop3" tls = "starttls" client-certificate = "required" }
END
my %users = (alice => 'secret', bob => 'secret', off => 'secret');
my $t = CulverTest->new(tls => 1, users => \%users, conf => $listeners);
CulverTls::authority($t, $_) for 'ca', 'stranger';

sub client_cert {
	my ($name, $emails, %o) = @_;
	my @san = map { "email:$_" } @$emails;
	CulverTls::certificate($t, $name, ca => 'ca', cn => 'nobody', %o, ext => [
		@san ? 'subjectAltName=' . join(',', @san) : (),
		'extendedKeyUsage=' . ($o{usage} // 'clientAuth') ]);
}
client_cert('good', [ 'alice@example.org' ], cn => 'bob');
client_cert('two', [ 'who@example.com', 'bob@example.org', 'alice@example.org' ]);
client_cert('unmapped', [ 'carol@example.org' ]);
client_cert('nameless', []);
client_cert('off', [ 'off@example.org' ]);
client_cert('expired', [ 'alice@example.org' ], days => -1);
client_cert('server', [ 'alice@example.org' ], usage => 'serverAuth');
client_cert('foreign', [ 'alice@example.org' ], ca => 'stranger');
client_cert('revoked', [ 'alice@example.org' ]);
$t->spew('db', '');
$t->spew('crlnumber', "01\n");
$t->spew('ca.cnf', <<"END");
[ca]
default_ca = x
[x]
database = @{[$t->path('db')]}
crlnumber = @{[$t->path('crlnumber')]}
default_md = sha256
default_crl_days = 30
END
my @ca = (qw(openssl ca -config), $t->path('ca.cnf'), '-cert',
	$t->path('ca.pem'), '-keyfile', $t->path('ca.key'));
CulverTls::run(@ca, '-revoke', $t->path('revoked.pem'));
CulverTls::run(@ca, '-gencrl', '-out', $t->path('ca.crl'));
$t->spew('passwd', join '', map { /\Aoff:/ ? "$_:disabled\n" : "$_\n" } sort map {
	"$_:" . crypt($users{$_}, '$5$rounds=1000$culvertest') } keys %users);
chmod 0600, $t->path('passwd');

my %port = map { $_ => $t->start(/pop/ ? 'pop3d' : 'imapd', $_) }
    qw(opt optpop req reqpop);

# A client with that certificate ('': none): undef and why, where TLS fails.
sub client {
	my ($listener, $cert, %o) = @_;
	return CulverTls::client($t, $port{$listener},
		$cert ? (SSL_cert_file => $t->path("$cert.pem"),
			SSL_key_file => $t->path("$cert.key"), SSL_use_cert => 1)
		: (), %o);
}

sub external {
	my ($c, $authzid) = @_;
	my $ir = $authzid ? encode_base64($authzid, '') : '=';
	return ($c->imap("AUTHENTICATE EXTERNAL $ir"))[0] =~ s/\Aa\d+ //r;
}
sub failed { return CulverTls::logged($t, $_[0]) }

# -- good ones
for my $v ('TLSv1_2', 'TLSv1_3') {
	my ($c, $why) = client('opt', 'good', SSL_version => $v);
	ok($c, "$v: a certificate of ours") or diag $why;
	like($c->get, qr/ AUTH=EXTERNAL\b/, "$v: EXTERNAL is offered");
	like(external($c), qr/\AOK /, "$v: is who it says");
	like(CulverTls::logged($t, qr/login: user=alice\@example\.org/),
		qr/ tls certificate/, "$v: logged");
	is_deeply([ grep { /AUTH=/ } $c->imap('CAPABILITY') ], [],
		"$v: no more logins");
	$c->imap('LOGOUT');
}
{
	my ($c) = client('opt', 'good');
	$c->get;
	$c->line('a AUTHENTICATE EXTERNAL');
	is($c->get, '+ ', 'without an initial response: asked for');
	$c->line('');
	like($c->get, qr/\Aa OK /, '... which may be empty');
	like(($c->imap('UNAUTHENTICATE'))[0], qr/ OK/, 'logged out');
	like(external($c, 'alice'), qr/\AOK /, 'and in again, as alice');

	($c) = client('opt', 'good');
	$c->get;
	like(external($c, 'bob'), qr/\ANO \[AUTHORIZATIONFAILED\]/,
		'to act as another: no');
	like(failed(qr/login refused/), qr/may not act as bob/, '... logged');
	like(external($c, "alice\0"), qr/\ABAD/, 'a NUL in the name: no');
	like(external($c, "\xff"), qr/\ABAD/, 'no UTF-8: no');
	like(($c->imap('LOGIN bob secret'))[0], qr/ OK/,
		'who has one may use a password');

	($c) = client('opt', 'two');
	$c->get;
	like(external($c), qr/\AOK /, 'several names: the first account');
	like(CulverTls::logged($t, qr/login: user=bob\@/), qr/certificate/, '... is it');
	($c) = client('opt', 'two');
	$c->get;
	like(external($c, 'alice'), qr/\AOK /, '... or the one that is asked for');
	like(($c->imap('GETQUOTAROOT INBOX'))[0], qr/ OK/, '... which it has');

	($c) = client('optpop', 'good', starttls => 'STLS');
	$c->line('CAPA');
	like($c->multi, qr/^SASL EXTERNAL /m, 'POP3: EXTERNAL');
	like($c->ask('AUTH EXTERNAL ='), qr/\A\+OK/, 'POP3: is who it says');
	$c->ask('QUIT');
	($c) = client('optpop', 'good', starttls => 'STLS');
	is($c->ask('AUTH EXTERNAL'), '+ ', 'POP3: asked for');
	like($c->ask(encode_base64('alice@example.org', '')), qr/\A\+OK/,
		'POP3: and named');
}

# -- ones that don't do, where that is no matter
for my $case ([ '', undef ], [ 'expired', qr/expired/ ],
	[ 'foreign', qr/issuer/ ], [ 'revoked', qr/revoked/ ],
	[ 'server', qr/purpose/ ]) {
	my ($cert, $why) = @$case;
	my ($c) = client('opt', $cert);
	ok($c, "optional: certificate '$cert': TLS is there") or next;
	unlike($c->get, qr/EXTERNAL/, '... but no EXTERNAL');
	like(external($c), qr/\ANO \[CANNOT\]/, '... not even if asked for');
	like(($c->imap('LOGIN alice secret'))[0], qr/ OK/, '... a password does');
	like(failed(qr/certificate is not taken: .*$why/), qr/peer=127/,
		'... logged') if $why;
}

# -- ones that do, of nobody
for my $case ([ 'unmapped', 'AUTHENTICATIONFAILED', qr/login failed: user=carol\@.*no account's/ ],
	[ 'nameless', 'AUTHENTICATIONFAILED', qr/login failed: user=- .*no account's/ ],
	[ 'off', 'AUTHORIZATIONFAILED', qr/login refused: user=off\@.*disabled/ ]) {
	my ($cert, $code, $log) = @$case;
	my ($c) = client('opt', $cert);
	like($c->get, qr/EXTERNAL/, "certificate '$cert': EXTERNAL");
	like(external($c), qr/\ANO \[$code\]/, '... is refused');
	like(failed($log), qr/peer=127/, '... logged');
}

# -- where one is required
for my $v ('TLSv1_2', 'TLSv1_3') {
	my ($c) = client('req', 'good', SSL_version => $v);
	like($c && $c->get, qr/AUTH=EXTERNAL/, "$v: required: a good one");
	for my $cert ('', 'expired', 'foreign', 'revoked', 'server') {
		($c) = client('req', $cert, SSL_version => $v);
		is($c ? $c->rest : '', '', "$v: required: certificate '$cert': "
			. 'not a word');
	}
}
like(failed(qr/TLS failed: .*listener=req: .*expired/), qr/peer=127/, '... why is logged');
like(failed(qr/TLS failed: .*listener=req: .*(?:none was shown|No certificate)/i),
	qr/peer=127/, '... also that there was none');
{
	my $c = $t->connect($port{reqpop});
	$c->get;
	$c->ask('USER alice');
	like($c->ask('PASS secret'), qr/\A-ERR/,
		'required: no password without TLS, even from this host');
	my ($d) = client('reqpop', 'good', starttls => 'STLS');
	$d->ask('USER bob');
	like($d->ask('PASS secret'), qr/\A\+OK/, '... but with it');
}

# -- resumption: the certificate is in the ticket
sub s_client {
	my ($listener, @args) = @_;
	return scalar qx((sleep 0.2; printf 'a AUTHENTICATE EXTERNAL =\\r\\nb LOGOUT\\r\\n'; sleep 0.3) 2>/dev/null | openssl s_client -connect 127.0.0.1:$port{$listener} -ign_eof @args 2>&1);
}
for my $v ('-tls1_2', '-tls1_3') {
	my $sess = $t->path("sess$v");
	my @cert = ('-cert', $t->path('good.pem'), '-key', $t->path('good.key'));
	like(s_client('opt', $v, '-sess_out', $sess, @cert), qr/^New, .*^a OK/ms,
		"$v: a session with a certificate");
	like(s_client('req', $v, '-sess_in', $sess), qr/^Reused, .*^a OK/ms,
		"$v: resumed: it is known");
	like(s_client('opt', $v, '-sess_out', $sess), qr/^New, .*^a NO/ms,
		"$v: a session without");
	my $text = s_client('req', $v, '-sess_in', $sess);
	unlike($text, qr/CAPABILITY|^a /m,
		"$v: resumed where one is required: not a word");
}

# -- a revocation list that is over
{
	CulverTls::run(@ca, '-gencrl', '-crlsec', 1, '-out', $t->path('ca.new'));
	sleep 2;
	rename $t->path('ca.new'), $t->path('ca.crl') or die;
	my ($c) = client('opt', 'good');
	unlike($c->get, qr/EXTERNAL/, 'a revocation list that has expired');
	like(failed(qr/certificate is not taken: .*list has expired/),
		qr/peer=/, '... is no reason to believe anybody');
}

# -- by the common name
{
	my $u = CulverTest->new(tls => 1, users => \%users, conf =>
		$listeners =~ s/^client-crl.*\n/client-name = "common-name"\n/mr);
	$u->spew($_, $t->slurp($_)) for 'ca.pem';
	my $port = $u->start('imapd', 'opt');
	my ($c) = CulverTls::client($u, $port, SSL_use_cert => 1,
		SSL_cert_file => $t->path('good.pem'),
		SSL_key_file => $t->path('good.key'));
	$c->get;
	like(external($c), qr/\AOK /, 'by the common name');
	like(CulverTls::logged($u, qr/login: /), qr/user=bob /, '... bob');
	$u->stop;
}
done_testing();
