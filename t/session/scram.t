# t/session/scram.t - SCRAM, its channel bindings, and other servers' hashes
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverScram;
use CulverTest;
use Digest::SHA qw(sha1 sha256 sha512);
use MIME::Base64 qw(decode_base64 encode_base64);
use Net::SSLeay;
use Test::More;

my $t = CulverTest->new(users => {}, tls => 1, conf => <<'END');
hash = "{SCRAM-SHA-256}"
hash-cost = 4096
scram = {"SHA-256", "SHA-1"}
address-failures = 0
max-failures = 100
END
my ($rc, $out, $err) = $t->culver(\"pencil\n", qw(user add alice --password-stdin));
is($rc, 0, 'user add') or diag $err;
like($t->slurp('passwd'), qr/^alice:\{SCRAM-SHA-256\}4096,[^,]{24},[^,]{44},[^,]{44}$/m,
	'keys of SCRAM');
$t->culver(\"p\xc2\xaass\xc2\xa0w\xc2\xadord\n", qw(user add uni --password-stdin));
# The example of RFC 5802 5, with its salt; Dovecot's way to write it.
my $old = CulverScram::hi('SHA-1', 'pencil', decode_base64('QSXCR+Q6sek8bf92'), 4096);
my $stored = CulverScram::b64(sha1(Digest::SHA::hmac_sha1('Client Key', $old)));
my $server = CulverScram::b64(Digest::SHA::hmac_sha1('Server Key', $old));
$t->spew('passwd', "bob:{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,$stored,$server\n"
	. "carl:" . crypt('secret', '$5$rounds=1000$salt') . "\n"
	. "phone:*:alias-of=alice\n" . $t->slurp('passwd'));
$t->start('imapd', $_) for qw(imap imaps);
$t->start('pop3d', 'pop3s');

sub tls { $t->connect($t->{port}{imaps}, tls => 1) }
sub b64 { CulverScram::b64($_[0]) }

# AUTHENTICATE with a client; what the server says at the end.
sub auth {
	my ($c, $mech, $client, %o) = @_;
	$c->get unless $c->{greeted}++;
	$c->put("a AUTHENTICATE $mech\r\n");
	my $line = $c->get;
	return $line unless $line =~ /\A\+/;
	$c->put(b64($client->first) . "\r\n");
	$line = $c->get;
	return $line unless $line =~ /\A\+ (\S+)/;
	my $final = $client->final(decode_base64($1));
	$final = $o{change}->($final) if $o{change};
	$c->put(b64($final) . "\r\n");
	$line = $c->get;
	return $line unless $line =~ /\A\+ (\S+)/;
	ok($client->verified(decode_base64($1)), 'the server knows the password');
	$c->put("\r\n");
	return $c->get;
}

sub client { CulverScram->new(user => 'alice', password => 'pencil', @_) }

my $c = tls();
like($c->get, qr/AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-1-PLUS AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1 /,
	'offered in TLS');
$c->{greeted} = 1;
like(auth($c, 'SCRAM-SHA-256', client()), qr/\Aa OK/, 'SCRAM-SHA-256');
$c = $t->connect($t->{port}{imap});
like($c->get, qr/ AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1 /, 'without TLS on this host');
$c->{greeted} = 1;
like(auth($c, 'SCRAM-SHA-256', client(gs2 => 'y,,')), qr/\Aa OK/,
	'there are no channels to bind to');
$c = $t->connect($t->{port}{imap});
like(auth($c, 'SCRAM-SHA-256-PLUS', client()), qr/\Aa (?:NO|BAD)/, 'no -PLUS without TLS');

# Channel bindings.
sub exporter {
	return Net::SSLeay::export_keying_material($_[0]{sock}->_get_ssl_object, 32,
		'EXPORTER-Channel-Binding', '');
}
for my $h ('SHA-256', 'SHA-1') {
	my @who = (hash => $h, user => $h eq 'SHA-1' ? 'bob' : 'alice');
	$c = tls();
	like(auth($c, "SCRAM-$h-PLUS", client(@who, gs2 => 'p=tls-exporter,,',
		data => exporter($c))), qr/\Aa OK/, "SCRAM-$h-PLUS, tls-exporter");
	$c = tls();
	my ($der) = pack 'H*', $c->{sock}->get_fingerprint('sha256') =~ s/.*\$//r;
	like(auth($c, "SCRAM-$h-PLUS", client(@who, data => $der,
		gs2 => 'p=tls-server-end-point,,')), qr/\Aa OK/, 'tls-server-end-point');
}
$c = tls();
my $other = exporter(tls());
like(auth($c, 'SCRAM-SHA-256-PLUS', client(gs2 => 'p=tls-exporter,,', data => $other)),
	qr/\Aa NO/, 'another connection\'s');
like(auth($c, 'SCRAM-SHA-256-PLUS', client(gs2 => 'p=tls-unique,,', data => 'x')),
	qr/\Aa NO/, 'a binding that we haven\'t');
like(auth($c, 'SCRAM-SHA-256-PLUS', client()), qr/\Aa NO/, '-PLUS without one');
like(auth($c, 'SCRAM-SHA-256', client(gs2 => 'y,,')), qr/\Aa NO/,
	'who was told that there is no -PLUS');
like(auth($c, 'SCRAM-SHA-256', client(gs2 => 'p=tls-exporter,,', data => exporter($c))),
	qr/\Aa NO/, 'one, without -PLUS');
like(auth($c, 'SCRAM-SHA-256', client(gs2_final => 'y,,')), qr/\Aa NO/,
	'the header was changed');

# Who, and who not.
like(auth($c, 'SCRAM-SHA-256', client(password => 'Pencil')), qr/\Aa NO.*AUTHENTICATIONFAILED/,
	'a wrong password');
my @seen;
for my $user (qw(nobody carl nobody bob), 'n' x 600) {
	my $cl = client(user => $user);
	like(auth($c, 'SCRAM-SHA-256', $cl), qr/\Aa NO.*AUTHENTICATIONFAILED/,
		substr("nobody's: $user", 0, 40));
	push @seen, "$cl->{salt} $cl->{i}";
}
is($seen[0], $seen[2], 'the same salt each time');
isnt($seen[0], $seen[1], 'another one of each name');
is(length $seen[0], length((split /,/, $t->slurp('passwd') =~ s/.*alice:\S+?\}//sr)[1]) + 5,
	'it looks like all others');
like(auth(tls(), 'SCRAM-SHA-1', client(hash => 'SHA-1', user => 'bob')), qr/\Aa OK/,
	'SCRAM-SHA-1');
like(auth(tls(), 'SCRAM-SHA-256', client(user => 'phone')), qr/\Aa OK/, 'an alias');
like(auth(tls(), 'SCRAM-SHA-256', client(gs2 => 'n,a=phone,')), qr/\Aa OK/,
	'an authzid of the same account');
like(auth(tls(), 'SCRAM-SHA-256', client(gs2 => 'n,a=bob,')), qr/\Aa NO/, 'of another');
like(auth(tls(), 'SCRAM-SHA-256', client(user => 'uni', password => 'pass word')),
	qr/\Aa OK/, 'a password that was prepared (RFC 4013)');

# What no client says.
my %bad = ('no proof' => sub { $_[0] =~ s/,p=.*//r },
	'a short proof' => sub { $_[0] =~ s/,p=.*/,p=AAAA/r },
	'no base64' => sub { $_[0] =~ s/,p=.*/,p=!/r },
	'behind the proof' => sub { "$_[0],x=y" }, 'nothing' => sub { '' },
	'octets' => sub { "\xff\xfe" }, 'no channel' => sub { $_[0] =~ s/c=[^,]*,//r });
for my $what (sort keys %bad) {
	like(auth($c, 'SCRAM-SHA-256', client(), change => $bad{$what}),
		qr/\Aa (?:NO|BAD)/, $what);
}
like(auth($c, 'SCRAM-SHA-256', client(), change => sub {
	$_[0] =~ s/,p=(.)/',p=' . ($1 eq 'A' ? 'B' : 'A')/er }), qr/\Aa NO/, 'a changed proof');
like(auth($c, 'SCRAM-SHA-256', client(wrong_nonce => 'rOprNGfwEbeRWgbNEkqOx')),
	qr/\Aa NO/, 'another nonce');
for my $first ('', 'n', 'n,,', 'n,,n=alice', 'n,,r=x', 'n,,n=,r=x', 'n,,n=alice,r=',
	'n,,n=a=zz,r=x', 'n,,m=ext,n=alice,r=x', 'x,,n=alice,r=x', 'n,b,n=alice,r=x',
	"n,,n=alice,r=a b", "n,,n=alice,r=\xc3\xa4", 'p=,,n=alice,r=x', "n,,n=a\0,r=x",
	'n,,n=alice,r=' . 'x' x 300, 'n,,n=' . 'x' x 20000 . ',r=x') {
	$c = $t->connect($t->{port}{imap});
	$c->put("a AUTHENTICATE SCRAM-SHA-256\r\n");
	$c->get for 1 .. 2;
	$c->put(b64($first) . "\r\n");
	like($c->get, qr/\Aa (?:NO|BAD)/, 'malformed: ' . substr($first =~ s/[^ -~]/./gr, 0, 30));
}
$c->put("a NOOP\r\n");
like($c->get, qr/\Aa OK/, 'it is still there');

# PLAIN by the same keys, and POP3.
my $p = $t->connect($t->{port}{imap});
$p->put('a AUTHENTICATE PLAIN ' . b64("\0alice\0pencil") . "\r\nb LOGOUT\r\n");
like($p->rest, qr/^a OK/m, 'PLAIN');
$p = $t->connect($t->{port}{imap});
$p->put('a AUTHENTICATE PLAIN ' . b64("\0alice\0pencils") . "\r\nb LOGOUT\r\n");
like($p->rest, qr/^a NO/m, 'PLAIN with a wrong one');
$p = $t->connect($t->{port}{pop3s}, tls => 1);
$p->get;
$p->put("CAPA\r\n");
my $capa = '';
while (defined(my $l = $p->get)) {
	last if $l =~ /\A\.\r?\n?\z/;
	$capa .= "$l\n";
}
like($capa, qr/^SASL SCRAM-SHA-256-PLUS .*SCRAM-SHA-256 /m, 'POP3 has them, too');
my $cl = client(gs2 => 'p=tls-exporter,,', data => exporter($p));
$p->put('AUTH SCRAM-SHA-256-PLUS ' . b64($cl->first) . "\r\n");
$p->put(b64($cl->final(decode_base64($p->get =~ s/\A\+ //r))) . "\r\n");
ok($cl->verified(decode_base64($p->get =~ s/\A\+ //r)), 'the server knows the password');
$p->put("\r\n");
like($p->get, qr/\A\+OK/, 'POP3');

# Hashes of other servers.
my %hash = (SSHA => b64(sha1('secretsalt') . 'salt'), SHA => b64(sha1('secret')),
	SSHA256 => b64(sha256('secretsaltsalt') . 'saltsalt'),
	SHA256 => b64(sha256('secret')), SHA512 => b64(sha512('secret')),
	SSHA512 => b64(sha512('secretsalt') . 'salt'), PLAIN => 'secret',
	'SHA512-CRYPT' => crypt('secret', '$6$rounds=1000$salt'),
	CRYPT => crypt('secret', '$5$rounds=1000$salt'));
my %none = (SSHA2 => $hash{SSHA256}, SSHA => b64(sha1('secret')), SHA => 'AAAA',
	SHA256 => '!', CRYPT => '{CRYPT}{CRYPT}' . $hash{CRYPT}, PLAIN => '', MD5 => 'x',
	'SCRAM-SHA-256' => '0,AAAA,AAAA,AAAA');
my @lines = map { sprintf "u-%s:{%s}%s\n", lc $_, $_, $hash{$_} } keys %hash;
push @lines, map { sprintf "n-%s:{%s}%s\n", lc $_, $_, $none{$_} } keys %none;
$t->spew('passwd', join '', sort @lines);
sub plain {
	my ($user, $pass) = @_;
	my $p = $t->connect($t->{port}{imap});
	$p->put('a AUTHENTICATE PLAIN ' . b64("\0$user\0$pass") . "\r\nb LOGOUT\r\n");
	return ($p->rest =~ /^a (\w+)/m)[0];
}
for my $s (sort keys %hash) {
	is(plain('u-' . lc $s, 'secret'), 'OK', "{$s}");
	is(plain('u-' . lc $s, 'Secret'), 'NO', "{$s}: wrong");
}
is(plain('n-' . lc $_, 'secret'), 'NO', "{$_}$none{$_}") for sort keys %none;
done_testing;
