# t/session/log.t - the lines of the log, and what fail2ban makes of them
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use MIME::Base64;
use Test::More;

my $t = CulverTest->new;
my %port = (pop3 => $t->start('pop3d', 'pop3'),
	imap => $t->start('imapd', 'imap'),
	lmtp => $t->start('lmtpd', 'lmtp'));

sub session {
	my ($what, @lines) = @_;
	my $c = $t->connect($port{$what});
	$c->get;
	$c->ask($_) for @lines;
	$c->rest;
}

session('pop3', 'USER alice', 'PASS secret', 'RETR 9', 'NOSUCH secretword',
	'QUIT');
session('imap', 'a LOGIN alice wrongpass', 'b LOGIN alice secret',
	'c NOOP', 'd LIST "" "" ""', 'e LOGOUT');
session('lmtp', 'MAIL FROM:<a@b>', 'QUIT');
session('pop3', 'USER x peer=192.0.2.1:1 protocol=pop3: wrong password',
	'PASS nix', 'QUIT');
session('pop3', 'USER "x\\', 'PASS nix', 'QUIT');
session('imap', 'a AUTHENTICATE PLAIN ' .
	encode_base64("bob end: done; user=x\0alice\0secret", ''));
$t->stop;
my $log = $t->slurp('log');
my $end = qr/ in=\d+ out=\d+ time=\d+\.\d{3}/;
like($log, qr/alice: refused: command="RETR" why=/, 'pop3d: a refused command');
like($log, qr/alice: refused: command="-" why="Unknown command"$/m,
    '... an unknown one');
like($log, qr/end: done; user=alice account=alice$end commands=5 refused=2 protocol=pop3 peer=127\.0\.0\.1:\d+ tls=-$/m,
    '... its session');
like($log, qr/: refused: command="LOGIN" why=/, 'imapd: a login');
like($log, qr/alice: refused: command="LIST" why=/, '... bad syntax');
like($log, qr/user=alice account=alice$end commands=5 refused=2 protocol=imap /,
    '... its session');
like($log, qr/: refused: command="MAIL" why="503 /, 'lmtpd: a refused command');
like($log, qr/user=- account=-$end commands=2 refused=1 protocol=lmtp /,
    '... its session');
unlike($log, qr/secretword|wrongpass|"secret"|=secret\b/,
    'no argument is in it');
like($log, qr/user="x peer=192\.0\.2\.1:1 protocol=pop3: wrong password" peer=127/,
    'a name with spaces is quoted');
like($log, qr/user=alice may not act as "bob end: done; user=x"$/m,
    'whom one wants to act as, too');
like($log, qr/user="\\"x\\\\" peer=127/, '... and its quotes');

SKIP: {
	skip 'no fail2ban-regex', 3
	    if system('command -v fail2ban-regex >/dev/null 2>&1') != 0;
	my $log4 = $log =~ s/127\.0\.0\.1/198.51.100.7/gr;
	$t->spew('f2b', $log4);
	my $out = qx(fail2ban-regex -v --print-all-matched @{[
	    $t->path('f2b')]} $ENV{srcdir}/conf/fail2ban/culver.conf 2>&1);
	like($out, qr/, 3 matched/, 'fail2ban: each failure, nothing else')
	    or diag $out;
	unlike($out, qr/^\|\s+192\.0\.2\.1 /m, 'fail2ban: no made up address');
	like($out, qr/^\|\s+198\.51\.100\.7 /m, 'fail2ban: the real one');
}
done_testing();
