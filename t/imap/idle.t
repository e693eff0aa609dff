# t/imap/idle.t - IDLE says a word when nothing happens (RFC 2177, keepalive)
use strict;
use warnings;
use CulverTest;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret' });
my $conf = $t->slurp('culver.conf');
$conf =~ s/(listener\s+\W?imap\W?\s*\{)/$1\n\tkeepalive = 1s/
	or die "no listener imap in $conf";
$t->spew('culver.conf', $conf);
my $imap = $t->start('imapd', 'imap');

sub session {
	my $c = $t->connect($imap);
	$c->imap_line;
	my ($ok) = $c->imap('LOGIN alice secret');
	like($ok, qr/ OK /, 'LOGIN');
	return $c;
}

my $c = session();
$c->line('i IDLE');
like($c->imap_line, qr/\A\+ /, 'IDLE');
is($c->imap_line, '* OK Still here', 'a word');
is($c->imap_line, '* OK Still here', 'and another');
# news come in between
my $other = session();
$c->line('DONE');
my $l;
1 while ($l = $c->imap_line) =~ /\A\* OK Still/;
like($l, qr/\Ai OK /, 'DONE');
$c->imap('SELECT INBOX');
$c->line('j IDLE');
like($c->imap_line, qr/\A\+ /, 'IDLE with a mailbox');
$other->imap("APPEND INBOX {14+}\r\nSubject: x\r\n\r\n");
1 while ($l = $c->imap_line) =~ /\A\* OK Still/;
is($l, '* 1 EXISTS', 'news');
is($c->imap_line, '* 1 RECENT', 'all of it');
is($c->imap_line, '* OK Still here', 'silence again');
$c->line('DONE');
1 while ($l = $c->imap_line) =~ /\A\* OK Still/;
like($l, qr/\Aj OK /, 'DONE');
# not outside of IDLE: nothing comes but the answer
$c->line('k NOOP');
like($c->imap_line, qr/\Ak OK /, 'NOOP');
ok(!$c->fill(1.5), 'silence outside of IDLE');
done_testing;
