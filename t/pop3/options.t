# t/pop3/options.t - what is configured of the maildrop, UTF8 and LANG
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use Test::More;

sub server {
	my ($conf) = @_;
	my $t = CulverTest->new(users => { alice => 'secret' }, conf => $conf
	    . qq(folder "Work" {}\nfolder "Bin" { role = "trash" }\n));
	$t->{pop} = $t->start('pop3d', 'pop3');
	$t->{imap} = $t->connect($t->start('imapd', 'imap'));
	$t->{imap}->get;
	$t->{imap}->imap('LOGIN alice secret');
	return $t;
}
sub append {
	my ($t, $box, @text) = @_;
	for my $text (@text) {
		my $n = length $text;
		$t->{imap}->imap("APPEND $box {$n+}\r\n$text");
	}
}
sub pop3 {
	my ($t, @first) = @_;
	my $c = $t->connect($t->{pop});
	$c->get;
	$c->ask($_) for @first;
	$c->ask('USER alice');
	return ($c, $c->ask('PASS secret'));
}
sub uidl { my ($c) = @_; $c->ask('UIDL'); return $c->multi }
sub status {
	my ($t, $box) = @_;
	my $l = join '', $t->{imap}->imap("STATUS $box (MESSAGES UIDVALIDITY)");
	return map { $l =~ /$_ (\d+)/ } qw(MESSAGES UIDVALIDITY);
}

# ---- unique-ids
my $mail = "Subject: x\r\n\r\nx\r\n";
for (['%e', '[0-9a-f]{16}'], ['%v.%u', '%v.1'], ['%08Xu%08Xv', '00000001%V'],
    ['UID%u-%v', 'UID1-%v']) {
	my ($pattern, $want) = @$_;
	my $t = server(qq(pop3-uidl = "$pattern"\n));
	append($t, 'INBOX', $mail, $mail);
	my (undef, $v) = status($t, 'INBOX');
	my ($c) = pop3($t);
	my $list = uidl($c);
	my $hex = sprintf '%08X', $v;
	$want =~ s/%v/$v/;
	$want =~ s/%V/$hex/;
	like($list, qr/^1 $want\r?$/m, "$pattern");
	my %ids = map { /\A\d+ (\S+)/ ? ($1 => 1) : () } split /\n/, $list;
	is(scalar keys %ids, 2, 'each its own');
	$t->stop;
}
my $t = server('');
for (['%v', 'has neither'], ['%q', 'has a directive'], ['a b%u', 'has a character'],
    ['x' x 69 . '%u', 'makes more than 70'], ['%99Xu', 'makes more than 70'],
    ['%', 'has a directive']) {
	my ($pattern, $why) = @$_;
	$t->write_conf(qq(pop3-uidl = "$pattern"\n));
	my ($rc, undef, $err) = $t->culver('config');
	is($rc, 100, "$pattern: refused");
	like($err, qr/\Q$why\E/, $why);
}
$t->stop;

# ---- which mailbox
$t = server(qq(pop3-mailbox = "Work"\n));
append($t, 'Work', $mail);
append($t, 'INBOX', $mail, $mail);
my ($c, $r) = pop3($t);
like($r, qr/\A\+OK 1 messages/, 'pop3-mailbox');
$c->ask('QUIT');
$t->{imap}->imap('DELETE Work');
like((pop3($t))[1], qr/\A-ERR \[SYS\/PERM\]/, 'one that is not there');
$t->stop;

# ---- what DELE and QUIT do
for my $mode (qw(expunge flag trash)) {
	$t = server(qq(pop3-delete = "$mode"\n));
	append($t, 'INBOX', map { "Subject: $_\r\n\r\nx\r\n" } 1 .. 3);
	($c) = pop3($t);
	$c->ask("DELE $_") for 1, 3;
	like($c->ask('QUIT'), qr/\A\+OK/, "$mode: QUIT");
	($c, $r) = pop3($t);
	like($r, qr/\A\+OK 1 messages/, 'gone for POP3');
	$c->ask('RETR 1');
	like($c->multi, qr/^Subject: 2/m, 'the other is there');
	$c->ask('QUIT');
	is((status($t, 'INBOX'))[0], $mode eq 'flag' ? 3 : 1, 'INBOX');
	is((status($t, 'Bin'))[0], $mode eq 'trash' ? 2 : 0, 'the trash');
	if ($mode eq 'flag') {
		$t->{imap}->imap('SELECT INBOX');
		like(join('', $t->{imap}->imap('SEARCH KEYWORD $POP3Deleted')),
		    qr/SEARCH 1 3/, 'the keyword');
		$t->{imap}->imap('STORE 1 -FLAGS ($POP3Deleted)');
		like((pop3($t))[1], qr/\A\+OK 2 messages/, 'and back again');
	}
	$t->stop;
}
$t = CulverTest->new(users => { alice => 'secret' },
	conf => qq(pop3-delete = "trash"\n));
$t->{pop} = $t->start('pop3d', 'pop3');
$t->{imap} = $t->connect($t->start('imapd', 'imap'));
$t->{imap}->get;
$t->{imap}->imap('LOGIN alice secret');
append($t, 'INBOX', $mail);
($c) = pop3($t);
$c->ask('DELE 1');
like($c->ask('QUIT'), qr/\A\+OK/, 'trash: there was none');
is((status($t, 'Trash'))[0], 1, 'and it was made');
$t->stop;

# ---- LOGIN-DELAY
$t = server("pop3-login-delay = 1h\n");
$c = $t->connect($t->{pop});
$c->get;
$c->ask('CAPA');
like($c->multi, qr/^LOGIN-DELAY 3600\r?$/m, 'CAPA');
($c, $r) = pop3($t);
like($r, qr/\A\+OK/, 'the first login');
like((pop3($t))[1], qr/\A-ERR \[IN-USE\]/, 'the lock goes first');
$c->ask('QUIT');
($c, $r) = pop3($t);
like($r, qr/\A-ERR \[LOGIN-DELAY\]/, 'the second one is too soon');
like($c->ask('STAT'), qr/\A-ERR/, 'and not in');
like(($t->{imap}->imap('NOOP'))[-1], qr/OK/, 'IMAP goes on');
utime time - 3700, time - 3700, $t->path('mail/alice/maildrop.lock');
like((pop3($t))[1], qr/\A\+OK/, 'later');
$t->stop;

# ---- UTF8, LANG
$t = server('');
my $utf8 = "Subject: Gr\xc3\xbc\xc3\x9fe an alle\r\nFrom: \"J\xc3\xb6rg M\" "
    . "<j\@example.org>\r\nX-Long: " . "\xc3\xa4" x 40 . "\r\nX: y\r\n\r\n"
    . "K\xc3\xb6rper\r\n.\r\n";
my $latin = "Subject: Gr\xfc\xdfe\r\n\r\nx\r\n";
append($t, 'INBOX', $mail);
my $lmtp = $t->connect($t->start('lmtpd', 'lmtp'));
$lmtp->get;
$lmtp->line('LHLO x');
while (defined(my $l = $lmtp->get)) { last if $l =~ /\A250 / }
for my $m ($utf8, $latin) {
	$lmtp->ask('MAIL FROM:<a@x> BODY=8BITMIME SMTPUTF8');
	$lmtp->ask('RCPT TO:<alice@mail.test>');
	$lmtp->ask('DATA');
	$lmtp->put($m =~ s/^\./../mgr . ".\r\n");
	like($lmtp->get, qr/\A250/, 'delivered');
}
sub retr { my ($c, $n) = @_; $c->ask("RETR $n"); return $c->multi }
($c) = pop3($t, 'UTF8');
like(retr($c, 2), qr/^Subject: Gr\xc3\xbc\xc3\x9fe an alle\r?$/m, 'as it is');
$c->ask('QUIT');
($c) = pop3($t);
my $got = retr($c, 2);
my ($head, $body) = split /\r?\n\r?\n/, $got, 2;
unlike($head, qr/[\x80-\xff]/, 'without UTF8: the header is ASCII');
like($head, qr/^Subject: =\?utf-8\?Q\?Gr=C3=BC=C3=9Fe\?= an alle\r?$/m, 'encoded');
like($head, qr/^From: "=\?utf-8\?Q\?J=C3=B6rg\?= M" <j\@example\.org>\r?$/m,
    'the address stays');
like($head, qr/^X-Long: (?:=\?utf-8\?Q\?(?:=C3=A4){1,10}\?=\r?\n ?)+/m, 'folded');
is((grep { length > 78 } split /\r?\n/, $head), 0, 'no long line');
like($head, qr/^X: y$/m, 'the rest as it is');
like($body, qr/\AK\xc3\xb6rper\r?\n/, 'the body as it is');
like(retr($c, 3), qr/^Subject: Gr\xfc\xdfe\r?$/m, "what isn't UTF-8 as it is");
$c->ask('TOP 2 0');
unlike($c->multi, qr/[\x80-\xff]/, 'TOP');
like($c->ask('UTF8'), qr/\A-ERR/, 'UTF8 goes before the login');
for ([LANG => qr/\A\+OK/], ['LANG en' => qr/\A\+OK en /],
    ['LANG *' => qr/\A\+OK i-default /], ['LANG xx' => qr/\A-ERR /]) {
	my ($cmd, $want) = @$_;
	like($c->ask($cmd), $want, $cmd);
	like($c->multi, qr/^i-default .*^en /ms, 'the list') if $cmd eq 'LANG';
}
$t->stop;
done_testing;
