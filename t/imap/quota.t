# t/imap/quota.t - QUOTA (RFC 9208)
use strict;
use warnings;
use CulverTest;
use ImapScript;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret' });
my $conf = $t->slurp('culver.conf');
$t->spew('culver.conf', "quota-size = 4K\nquota-messages = 3\n"
    . "max-mailboxes = 10\n$conf");
my $imap = $t->start('imapd', 'imap');
my $c = $t->connect($imap);
$c->imap_line;
my ($ok, @l) = $c->imap('LOGIN alice secret');
like($ok, qr/ QUOTA QUOTA=RES-ANNOTATION-STORAGE QUOTA=RES-MAILBOX QUOTA=RES-MESSAGE QUOTA=RES-STORAGE /,
	'capabilities');
($ok, @l) = $c->imap('GETQUOTAROOT inbox');
like($ok, qr/ OK /, 'GETQUOTAROOT');
is($l[0], '* QUOTAROOT inbox account', 'one root');
like($l[1], qr/\A\* QUOTA account \(STORAGE 0 4 MESSAGE 0 3 MAILBOX \d 10 ANNOTATION-STORAGE 0 16384\)\z/,
	'and what it has');
my $kb = "Subject: x\r\n\r\n" . 'x' x 1500 . "\r\n";
my $n = length $kb;
($ok) = $c->imap("APPEND INBOX (\\Deleted) {$n+}\r\n$kb") for 1 .. 2;
like($ok, qr/ OK /, 'two messages fit');
($ok, @l) = $c->imap('GETQUOTA account');
like($l[0], qr/\A\* QUOTA account \(STORAGE 3 4 MESSAGE 2 3 /, 'usage');
($ok, @l) = $c->imap('STATUS INBOX (DELETED DELETED-STORAGE)');
is($l[0], '* STATUS INBOX (DELETED 2 DELETED-STORAGE 3)', 'what EXPUNGE frees');
# told before the message is sent, and to who sends it anyway
$c->line("x APPEND INBOX {$n}");
like($c->imap_line, qr/\Ax NO \[OVERQUOTA\]/, 'the third does not: size');
($ok) = $c->imap("APPEND INBOX {$n+}\r\n$kb");
like($ok, qr/ NO \[OVERQUOTA\]/, 'nor unasked');
($ok) = $c->imap("APPEND INBOX {14+}\r\nSubject: x\r\n\r\n");
like($ok, qr/ OK /, 'a small one does');
($ok) = $c->imap("APPEND INBOX {14+}\r\nSubject: x\r\n\r\n");
like($ok, qr/ NO \[OVERQUOTA\]/, 'a fourth does not: number');
$c->imap('SELECT INBOX');
($ok) = $c->imap('COPY 3 INBOX');
like($ok, qr/ NO \[OVERQUOTA\]/, 'COPY makes a fourth, too');
($ok) = $c->imap('EXPUNGE');
($ok, @l) = $c->imap('GETQUOTA account');
like($l[0], qr/\A\* QUOTA account \(STORAGE 1 4 MESSAGE 1 3 /, 'freed');
my $made = 0;
for (1 .. 12) {
	($ok) = $c->imap("CREATE box$_");
	last unless $ok =~ / OK /;
	$made++;
}
like($ok, qr/ NO \[(?:LIMIT|OVERQUOTA)\]/, 'mailboxes have a limit');
($ok, @l) = $c->imap('GETQUOTA account');
like($l[0], qr/MAILBOX 10 10 ANNOTATION-STORAGE/, 'and it is reached');
($ok) = $c->imap('GETQUOTA other');
like($ok, qr/ NO \[NONEXISTENT\]/, 'no such root');
($ok) = $c->imap('GETQUOTAROOT nowhere');
like($ok, qr/ NO \[NONEXISTENT\]/, 'no such mailbox');
($ok) = $c->imap('GETQUOTA');
like($ok, qr/ BAD expected a quota root/, 'no root named');
($ok) = $c->imap('GETQUOTAROOT INBOX x');
like($ok, qr/ BAD /, 'too much');
done_testing;
