# t/jmap/bearer.t - tokens by HTTP Bearer (RFC 6750), and in place of a password
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverJmap;
use JwtKeys;
use Test::More;
use Time::HiRes qw(sleep);

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'other' },
	conf => "failure-delay-ms = 1\n");

sub token {
	my ($rc, $out, $err) = $t->culver('token', 'add', @_);
	chomp $out;
	return $rc == 0 ? $out : diag $err;
}
sub id_of {
	my ($name) = @_;
	my ($rc, $out) = $t->culver(qw(token list));
	return $out =~ /^(\S+)\t.*\t\Q$name\E$/m ? $1 : undef;
}
sub status { $t->request('GET', '/.well-known/jmap', auth => $_[0])->{status} }

my $token = token('alice', '--name', 'web mail');
like($token, qr/\Acvr-[a-z2-9]{32}\z/, 'a token');
my $r = $t->request('GET', '/.well-known/jmap', auth => "Bearer $token");
is($r->{status}, 200, 'it is let in');
is($r->{json}{username}, 'alice', 'as the account');
is_deeply([keys %{ $r->{json}{accounts} }], [keys %{
	$t->request('GET', '/.well-known/jmap')->{json}{accounts} }],
    'the same accounts as by the password');
is(status("bearer  $token "), 200, 'schemes have no case');
is(status($t->auth('alice', $token)), 200, 'as the password of Basic');
is(status($t->auth('bob', $token)), 401, "not as another user's");
{
	local $t->{token} = $token;
	is(ref $t->call('Mailbox/get', { ids => undef })->{list}, 'ARRAY',
	    'methods');
	like($t->upload('octets', 'text/plain'), qr/./, 'uploads');
}

# ---- bad ones
for (['unknown', 'Bearer cvr-' . 'a' x 32], ['short', 'Bearer x'],
    ['cut', 'Bearer ' . substr($token, 0, 35)], ['longer', "Bearer ${token}a"],
    ['the password', 'Bearer secret'], ['long', 'Bearer ' . 'a' x 4000],
    ['a hash', 'Bearer ' . ($t->slurp('tokens') =~ /^([0-9a-f]{64})/m)[0]]) {
	my ($what, $auth) = @$_;
	my $r = $t->request('GET', '/.well-known/jmap', auth => $auth);
	is($r->{status}, 401, "$what: 401");
	like($r->{headers}{'www-authenticate'},
	    qr/Bearer realm="Culver", error="invalid_token"/, "$what: challenge");
}

# ---- tokens of an authorization server
SKIP: {
	skip 'needs the openssl program', 4
	    if system('openssl version >/dev/null 2>&1') != 0;
	my $keys = JwtKeys->new($t->path(''));
	my %claims = (iss => 'https://id.example', aud => 'mail',
		exp => time + 300, email => "alice\@mail.test");
	kill TERM => $t->{jmap_pid};
	waitpid $t->{jmap_pid}, 0;
	$t->spew('culver.conf', $t->slurp('culver.conf') . <<"END");
oauth-keys = "$t->{dir}/ec.pem"
oauth-issuer = "$claims{iss}"
oauth-audience = "$claims{aud}"
END
	$t->start_jmap;
	my $jwt = $keys->jwt('ec', 'ES256', \%claims);
	my $r = $t->request('GET', '/.well-known/jmap', auth => "Bearer $jwt");
	is($r->{status}, 200, 'a JSON Web Token');
	is($r->{json}{username}, 'alice@mail.test', 'its user');
	$jwt = $keys->jwt('ec', 'ES256', { %claims, exp => time - 100 });
	is(status("Bearer $jwt"), 401, 'one that has ended');
	is(status("Bearer $token"), 200, 'our own token');
}

# ---- scope, end, withdrawal
is(status('Bearer ' . token('alice', '--for', 'imap,pop3')), 401,
    'one for IMAP and POP3 only');
is(status('Bearer ' . token('alice', '--for', 'jmap')), 200, 'one for JMAP');
my $soon = time + 4;
my @z = gmtime $soon;
my $short = token('alice', '--until', sprintf('%04d-%02d-%02dT%02d:%02d:%02dZ',
    $z[5] + 1900, $z[4] + 1, @z[3, 2, 1, 0]));
is(status("Bearer $short"), 200, 'one that ends');
sleep 0.1 while time < $soon;
is(status("Bearer $short"), 401, 'has ended');
my ($c) = do {
	local $t->{token} = $token;
	$t->stream('types=*&closeafter=no&ping=0');
};
my ($byname) = $t->stream('types=*&closeafter=no&ping=0');
my ($rc) = $t->culver('token', 'del', id_of('web mail'));
is($rc, 0, 'taken back');
is(status("Bearer $token"), 401, 'at once');
is(status($t->auth('alice', $token)), 401, 'as a password, too');
$t->import_mail("Subject: x\n\nx\n");
ok(CulverJmap::event($byname), 'a stream by the password goes on');
ok(!defined CulverJmap::event($c, 5) && $c->{over},
    "the token's event stream has ended");

# ---- the account
$token = token('alice');
$t->culver(qw(user passwd --disable alice));
is(status("Bearer $token"), 401, 'a disabled account');
$t->culver(qw(user passwd --enable alice));
is(status("Bearer $token"), 200, 'enabled again');
$t->culver(\"new\n", qw(user passwd --password-stdin alice));
is(status("Bearer $token"), 200, 'another password leaves tokens alone');
$t->culver(qw(user del --yes alice));
is(status("Bearer $token"), 401, 'no account, no token');
$t->culver(\"new\n", qw(user add --password-stdin alice));
is(status("Bearer $token"), 401, 'nor for a new one of that name');

my $log = $t->slurp('log');
unlike($log, qr/cvr-[a-z2-9]{8}/, 'no token is in the log');
like($log, qr/login failed: user=- peer=\S+ protocol=jmap: no such token/,
    'but that it failed');
$t->stop;
done_testing;
