# t/session/oauth.t - access tokens: JWT and introspection; OAUTHBEARER, XOAUTH2
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use IO::Socket::INET;
use JSON::XS;
use JwtKeys;
use MIME::Base64 qw(decode_base64 encode_base64 encode_base64url);
use POSIX ();
use Test::More;

plan skip_all => 'needs the openssl program'
    if system('openssl version >/dev/null 2>&1') != 0;
my $json = JSON::XS->new->canonical;
my $iss = 'https://id.example.org/realms/mail';
my $conf = <<"END";
failure-delay-ms = 1
max-failures = 1000
domains = {"example.org"}
oauth-keys = "%d/oauth.keys"
oauth-issuer = "$iss"
oauth-audience = "culver"
END
my $t = CulverTest->new(users => { alice => 'secret', bob => 'other' });
my $keys = JwtKeys->new($t->path(''));
$t->spew('oauth.keys', join '', map { $keys->pem($_) } qw(rsa ec ec384 ed));
my %port;
sub serve {
	my ($text) = @_;
	$t->stop if %port;
	$text =~ s/%d/$t->{dir}/g;
	$t->{conf_text} = $text;
	$t->write_conf($text);
	%port = map { $_ => $t->start("${_}d", $_) } qw(imap pop3);
}
serve($conf);

sub claims {
	return { iss => $iss, aud => 'culver', exp => time + 300,
		email => 'alice@example.org', @_ };
}
sub without {
	my $c = claims();
	delete @$c{@_};
	return $c;
}
sub message {
	my ($token, $user) = @_;
	return defined $user ? "user=$user\1auth=Bearer $token\1\1"
	    : "n,,\1host=x\1port=143\1auth=Bearer $token\1\1";
}
# The answer to AUTHENTICATE, after the error that goes before a NO.
my $challenge;
sub imap {
	my ($mech, $text) = @_;
	my $c = $t->connect($port{imap});
	$c->get;
	$c->line("a AUTHENTICATE $mech " . encode_base64($text, ''));
	my $l = $c->get;
	$challenge = undef;
	if ($l =~ /\A\+ (.*)/) {
		$challenge = eval { $json->decode(decode_base64($1)) };
		$c->line(encode_base64("\1", ''));
		$l = $c->get;
	}
	return $l;
}
sub bearer { imap('OAUTHBEARER', message(@_)) }
my $in = qr/\Aa OK .*CAPABILITY/;
my $out = qr/\Aa NO \[AUTHENTICATIONFAILED\]/;
my $denied = qr/\Aa NO \[AUTHORIZATIONFAILED\]/;

# ---- what is offered
my $c = $t->connect($port{imap});
like($c->get, qr/AUTH=OAUTHBEARER AUTH=XOAUTH2/, 'IMAP offers both');
$c = $t->connect($port{pop3});
$c->get;
$c->ask('CAPA');
like($c->multi, qr/^SASL .*OAUTHBEARER XOAUTH2/m, 'POP3, too');

# ---- algorithms
my %with = (RS256 => 'rsa', RS512 => 'rsa', PS256 => 'rsa', ES256 => 'ec',
	ES384 => 'ec384', EdDSA => 'ed');
like(bearer($keys->jwt($with{$_}, $_, claims())), $in, $_)
    for sort keys %with;
like(bearer($keys->jwt('rsa', 'RS256', claims(), typ => 'at+jwt')), $in,
    "RFC 9068's type");
my $good = $keys->jwt('rsa', 'RS256', claims());
my ($h, $p, $s) = split /\./, $good;
my $none = encode_base64url('{"alg":"none"}');
my $hmac = $keys->jwt('rsa', 'HS256', claims());
for (['no signature', "$none.$p."], ['alg none', "$none.$p.$s"],
    ['HMAC', $hmac], ['another key', $keys->jwt('small', 'RS256', claims())],
    ['another algorithm', $keys->jwt('rsa', 'ES256', claims()) =~
	s/\A[^.]*/$h/r],
    ['other claims', join '.', $h, encode_base64url($json->encode(
	claims(email => 'bob@example.org'))), $s],
    ['crit', $keys->jwt('rsa', 'RS256', claims(), crit => ['x'], x => 1)],
    ['not JSON', $keys->jwt('rsa', 'RS256', 'nonsense')],
    ['an array', $keys->jwt('rsa', 'RS256', [])],
    ['twice the same', $keys->jwt('rsa', 'RS256',
	'{"email":"alice","email":"bob"}')],
    ['two parts', "$h.$p"], ['four', "$good.x"], ['garbage', 'x.y.z'],
    ['padding', "$h=.$p.$s"], ['opaque', 'abcdef'], ['long', 'a' x 17000]) {
	my ($what, $token) = @$_;
	like(bearer($token), $out, "$what: no");
	is($challenge->{status}, 'invalid_token', "$what: and why");
}
is($challenge->{'openid-configuration'}, "$iss/.well-known/openid-configuration",
    'where tokens are to be had');

# ---- claims
for (['ended', claims(exp => time - 120)], ['not yet', claims(nbf => time + 300)],
    ['issuer', claims(iss => 'https://evil.example')],
    ['no issuer', without('iss')], ['audience', claims(aud => 'other')],
    ['audiences', claims(aud => ['a', 'b'])], ['no audience', without('aud')],
    ['unverified', claims(email_verified => JSON::XS::false)],
    ['no user', without('email')], ['a number', claims(email => 5)],
    ['nobody', claims(email => 'nobody@example.org')],
    ['another domain', claims(email => 'alice@example.net')]) {
	my ($what, $cl) = @$_;
	like(bearer($keys->jwt('rsa', 'RS256', $cl)), $denied, "$what: no");
}
like(bearer($keys->jwt('rsa', 'RS256', without('exp'))), $out,
    'without an end: no');
like(bearer($keys->jwt('rsa', 'RS256', claims(email =>
	"alice\@example.org\0x"))), $out, 'NUL: no');
like(bearer($keys->jwt('rsa', 'RS256', claims(aud => ['x', 'culver'],
	exp => time + 60.5, email_verified => JSON::XS::true))), $in,
    'one of several audiences');
like(bearer($keys->jwt('rsa', 'RS256', claims(exp => time - 30))), $in,
    'clocks may differ a little');

# ---- the message
like(imap('XOAUTH2', message($good, 'alice@example.org')), $in, 'XOAUTH2');
like(imap('XOAUTH2', message($good, 'alice')), $in, 'by the account');
like(imap('XOAUTH2', message($good, 'bob')), $denied, 'not as another');
is($challenge->{status}, '401', 'as Google has it');
like(imap('OAUTHBEARER', "n,a=alice\@example.org,\1auth=Bearer $good\1\1"),
    $in, 'an authorization identity');
like(imap('OAUTHBEARER', "n,a=bob,\1auth=Bearer $good\1\1"), $denied,
    'of somebody else');
for ('', 'x', "n,,", "n,,\1", "n,,\1auth=Bearer $good\1", "p=x,,\1auth=x\1\1",
    "n,b=c,\1auth=Bearer $good\1\1", "n,a==,\1auth=Bearer $good\1\1",
    "n,,\1auth=Basic $good\1\1", "n,,\1host=x\1\1", "n,,\1auth=Bearer \1\1",
    "n,,\1auth=Bearer $good\1\1x", "n,,\1auth=Bearer $good\0\1\1") {
	like(imap('OAUTHBEARER', $_), qr/\Aa BAD /,
	    'malformed: ' . substr(s/[\0\1]/^/gr, 0, 30));
}
$c = $t->connect($port{pop3});
$c->get;
$c->line('AUTH OAUTHBEARER');
is($c->get, '+ ', 'POP3: asks for it');
like($c->ask(encode_base64(message($good), '')), qr/\A\+OK /, 'and takes it');
my ($rc, $token) = $t->culver(qw(token add alice));
chomp $token;
like(bearer($token), $in, 'one of our own tokens');

# ---- JWK sets
sub key_set { $t->spew('oauth.keys', $json->encode({ keys => \@_ })) }
key_set(map { $keys->jwk($_, kid => $_, use => 'sig') } qw(rsa ec ec384 ed));
like(bearer($keys->jwt($with{$_}, $_, claims(), kid => $with{$_})), $in,
    "$_ by a JWK") for sort keys %with;
like(bearer($good), $in, 'a token without kid');
like(bearer($keys->jwt('rsa', 'RS256', claims(), kid => 'ec')), $out,
    'the kid of another key');
key_set($keys->jwk('rsa', use => 'enc'), $keys->jwk('ec', alg => 'ES384'));
like(bearer($good), $out, 'a key that is not for signatures');
like(bearer($keys->jwt('ec', 'ES256', claims())), $out,
    'a key for another algorithm');
key_set(5, {}, { kty => 'RSA', n => '!', e => 'AQAB' }, { kty => 'EC' },
    $keys->jwk('rsa'));
like(bearer($good), $in, 'bad keys beside the good one');
for ('', '{', '{"keys":5}', "-----BEGIN PUBLIC KEY-----\nnonsense\n") {
	$t->spew('oauth.keys', $_);
	like(bearer($good), qr/\Aa NO /, "a bad file of keys: $_");
}
$t->spew('oauth.keys', $keys->pem('small'));
like(bearer($keys->jwt('small', 'RS256', claims())), $out, '1024 bits: no');

# ---- other claims and scopes
$t->spew('oauth.keys', $keys->pem('ed'));
serve($conf . qq(oauth-claim = "sub"\noauth-scope = "mail"\n));
for ([{ scope => 'openid mail' }, $in], [{ scope => 'email' }, $denied],
    [{}, $denied], [{ scp => ['mail'] }, $in], [{ scp => 'mail' }, $in]) {
	my ($more, $want) = @$_;
	like(bearer($keys->jwt('ed', 'EdDSA', claims(sub => 'bob', %$more))),
	    $want, 'scope ' . $json->encode($more));
}
is($challenge, undef, 'no challenge where it is good');

# ---- introspection
my $srv = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5);
my %answer = (
	good => { active => JSON::XS::true, sub => 'alice', scope => 'mail' },
	ended => { active => JSON::XS::true, sub => 'alice', scope => 'mail',
		exp => time - 100 },
	dead => { active => JSON::XS::false }, none => {},
	nouser => { active => JSON::XS::true, scope => 'mail' });
my $pid = fork // die;
if ($pid == 0) {
	$SIG{TERM} = sub { POSIX::_exit(0) };
	while (my $k = $srv->accept) {
		my ($head, $n) = ('', 0);
		while (my $l = <$k>) {
			$head .= $l;
			$n = $1 if $l =~ /\AContent-Length: (\d+)/i;
			last if $l eq "\r\n";
		}
		read($k, my $body, $n);
		$t->spew('asked', $head . $body);
		my ($what) = $body =~ /token=(\w*)/;
		my $text = $what eq 'long' ? 'x' x 100000
		    : $what eq 'text' ? 'hello' : $json->encode($answer{$what});
		print $k $what eq 'error' ? "HTTP/1.0 500 no\r\n\r\n"
		    : "HTTP/1.0 200 ok\r\n\r\n$text";
		close $k;
	}
	POSIX::_exit(0);
}
$t->spew('client.secret', "s:cret \n");
serve(qq(failure-delay-ms = 1\nmax-failures = 1000\noauth-claim = "sub"
oauth-introspection = "http://127.0.0.1:@{[$srv->sockport]}/introspect"
oauth-scope = "mail"\noauth-client = "culver"
oauth-secret-file = "$t->{dir}/client.secret"\n));
like(bearer('good'), $in, 'an opaque token');
my $asked = $t->slurp('asked');
like($asked, qr{\APOST /introspect HTTP}, 'is asked for');
like($asked, qr/^Authorization: Basic \Q@{[encode_base64('culver:s%3Acret', '')]}\E\r$/m,
    'with our name and secret');
like(bearer('ended'), $denied, 'one that has ended');
like(bearer('nouser'), $denied, 'one of nobody');
like(bearer($_), $out, "$_: no") for qw(dead none);
like(bearer($_), qr/\Aa NO \[UNAVAILABLE\]/, "$_: not now")
    for qw(error long text);
kill TERM => $pid;
waitpid $pid, 0;
close $srv;
like(bearer('good'), qr/\Aa NO \[UNAVAILABLE\]/, 'nobody answers');
my $log = $t->slurp('log');
like($log, qr/login: user=alice\@example\.org protocol=imap token/, 'the log');
unlike($log, qr/\Q$s\E/, 'has no token');

# ---- the configuration
for (['oauth-keys = "%d/ed.pem"', 'needs oauth-issuer too'],
    ['oauth-introspection = "http://id.example.org/x"', 'is not an https'],
    ['oauth-secret-file = "%d/client.secret"', 'needs oauth-client too'],
    ['oauth-keys = "%d/nothing"', 'No such file']) {
	my ($text, $want) = @$_;
	$t->write_conf($text =~ s/%d/$t->{dir}/r);
	my ($rc, undef, $err) = $t->culver('config');
	is($rc, 100, "$text: refused");
	like($err, qr/\Q$want\E/, $want);
}
$t->stop;
done_testing;
