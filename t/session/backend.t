# t/session/backend.t - passwords that PAM or a program checks
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use Test::More;

my $t = CulverTest->new(users => { alice => 'own' }, conf => <<'END');
failure-delay-ms = 1
max-failures = 100
auth-command = "@DIR@/check"
pam-dir = "@DIR@/pam"
pam-service = "mail"
auth-cache = 0
END
sub script {
	my ($name, $text) = @_;
	$t->spew($name, "#!/bin/sh\n$text");
	chmod 0755, $t->path($name);
}
$t->spew('passwd', $t->slurp('passwd') . <<'END');
cara:{COMMAND}
other:*:alias-of=cara
off:{COMMAND}:disabled
pam:{PAM}
END
script('check', <<"END");
cat >$t->{dir}/asked
grep NoNewPrivs /proc/self/status >$t->{dir}/privs
if grep -qx 'password=right = one' $t->{dir}/asked; then echo ok; else echo no; fi
END
mkdir $t->path('pam');
script('expose', qq(read -r p\n[ "\$PAM_USER:\$p" = pam:magic ]\n));
my $pam = sub { $t->spew('pam/mail', join '', map { "$_\n" } @_) };
$pam->("auth [success=1 default=ignore] pam_exec.so expose_authtok quiet "
    . "$t->{dir}/expose", 'auth requisite pam_deny.so',
    'auth required pam_permit.so',
    'account required pam_permit.so');
my %port = map { $_ => $t->start("${_}d", $_) } qw(imap pop3);

sub imap {
	my ($user, $pass) = @_;
	my $c = $t->connect($port{imap});
	$c->get;
	$pass =~ s/(["\\])/\\$1/g;
	return (($c->imap(qq(LOGIN $user "$pass")))[-1] =~ / (OK|NO \[\w+\])/)[0];
}
my ($bad, $later) = ('NO [AUTHENTICATIONFAILED]', 'NO [UNAVAILABLE]');

# ---- a program
is(imap('cara', 'right = one'), 'OK', 'the program says ok');
my $asked = $t->slurp('asked');
like($asked, qr/\Aculver-login 1\nprotocol=imap\npeer=127\.0\.0\.1:\d+\nuser=cara\naccount=cara\npassword=right = one\n\n\z/,
    'what it is told');
# Such programs hand on to others that are setgid.
like($t->slurp('privs'), qr/\ANoNewPrivs:\s+0$/, 'and may get privileges');
is(imap('cara', 'wrong'), $bad, 'and no');
is(imap('other', 'right = one'), 'OK', 'by another name');
like($t->slurp('asked'), qr/^user=other\naccount=cara\n/m, 'it is told both');
is(imap('off', 'right = one'), 'NO [AUTHORIZATIONFAILED]', 'disabled');
is(imap('alice', 'own'), 'OK', 'another account has its hash');
unlink $t->path('asked');
is(imap('nobody', 'right = one'), $bad, 'an unknown name');
ok(!-e $t->path('asked'), 'is not asked about');
my $c = $t->connect($port{imap});
$c->get;
$c->line('a LOGIN cara {23}');
$c->get;
$c->put("x\npassword=right = one\n\r\n");
like($c->get, qr/\Aa (?:NO|BAD)/, 'a password of several lines');
for (['echo maybe', 'neither'], ['echo ok; exit 1', 'a status'],
    ['echo ok more', 'more on the line'], ['exit 0', 'silence'],
    ['kill -9 $$', 'killed'], ['yes ok | head -c 100000; exit 3', 'much']) {
	my ($text, $what) = @$_;
	script('check', $text);
	is(imap('cara', 'right = one'), $later, "$what: not now");
}
unlink $t->path('check');
is(imap('cara', 'right = one'), $later, 'no program: not now');
like($t->slurp('log'), qr{/check: status 0: maybe$}m, 'the log');

script('check', 'echo no');

# ---- PAM
is(imap('pam', 'magic'), 'OK', 'PAM says yes');
is(imap('pam', 'wrong'), $bad, 'and no');
$c = $t->connect($port{pop3});
$c->get;
$c->ask('USER pam');
like($c->ask('PASS magic'), qr/\A\+OK/, 'by POP3');
$pam->('auth required pam_permit.so', 'account required pam_deny.so');
isnt(imap('pam', 'magic'), 'OK', 'an account that PAM refuses');
$pam->('auth required pam_deny.so', 'account required pam_permit.so');
is(imap('pam', 'magic'), $bad, 'denied');
$pam->('auth required /nonexistent.so', 'account required pam_permit.so');
isnt(imap('pam', 'magic'), 'OK', 'a broken service');

# ---- who is asked
is(($t->culver(qw(user passwd --checked-by pam alice)))[0], 0, 'user passwd');
like($t->slurp('passwd'), qr/^alice:\{PAM\}$/m, 'in the file');
isnt(imap('alice', 'own'), 'OK', 'the hash is gone');
is(($t->culver(qw(user passwd --checked-by ldap alice)))[0], 100, 'no such one');
unlike($t->slurp('log'), qr/right = one|magic/, 'no password in the log');
$t->stop;
done_testing;
