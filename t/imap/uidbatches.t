# t/imap/uidbatches.t - UIDBATCHES (RFC 10022)
use strict;
use warnings;
use CulverTest;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret' });
my $c = $t->connect($t->start('imapd', 'imap'));
$c->imap_line;
my ($r, @u) = $c->imap('LOGIN alice secret');
like($r, qr/ UIDBATCHES /, 'the capability');
($r) = $c->imap('UIDBATCHES 500');
like($r, qr/ BAD /, 'not without a mailbox');
$c->imap('SELECT INBOX');
($r, @u) = $c->imap('UIDBATCHES 500');
my ($tag) = $r =~ /\A(\S+) OK/;
is_deeply(\@u, [qq(* UIDBATCHES (TAG "$tag"))], 'an empty mailbox');

# 1,250 messages with gaps: every fifth one of 1,600 is gone, and the first ones
my $one = "Subject: x\r\n\r\n";
for (1 .. 16) {
	my $n = length $one;
	$c->put("ap APPEND INBOX" . " {$n+}\r\n$one" x 100 . "\r\n");
	$c->imap_until('ap');
}
($r) = $c->imap('UID SEARCH RETURN (COUNT) ALL');
my @gone = grep { $_ % 5 == 0 || $_ <= 20 } 1 .. 1600;
push @gone, 1571 .. 1574, 1576 .. 1579;
my %gone = map { $_ => 1 } @gone;
$c->imap('UID STORE ' . join(',', sort { $a <=> $b } keys %gone)
    . ' +FLAGS.SILENT (\Deleted)');
$c->imap('EXPUNGE');
my @uid = reverse grep { !$gone{$_} } 1 .. 1600;

sub batches {
	my ($args) = @_;
	my ($r, @u) = $c->imap("UIDBATCHES $args");
	return $r unless $r =~ /\A(\S+) OK/;
	my $tag = $1;
	my ($l) = grep { /UIDBATCHES/ } @u;
	return $l =~ s/\A\* UIDBATCHES \(TAG "\Q$tag\E"\) ?//r;
}
sub expected {
	my ($size, $from, $to) = @_;
	my ($high, @all) = ($uid[0]);
	for (my $i = 0; $i < @uid; $i += $size) {
		my $low = $i + $size < @uid ? $uid[$i + $size - 1] : 1;
		push @all, $high == $low ? $high : "$high:$low";
		$high = $low - 1;
	}
	$to = @all if $to > @all;
	return join ',', @all[$from - 1 .. $to - 1];
}
for my $size (500, 617, 1000, scalar @uid, scalar @uid + 1, 4294967295) {
	is(batches($size), expected($size, 1, 9), "batches of $size");
}
is(batches('500 1:1'), expected(500, 1, 1), 'the newest');
is(batches('500 2:3'), expected(500, 2, 3), 'older ones');
is(batches('500 2:99'), expected(500, 2, 99), 'as many as there are');
is(batches('500 50:60'), '', 'beyond the last');
($r, @u) = $c->imap('UID SEARCH RETURN (COUNT) UID ' .
    (split /,/, batches('500'))[1]);
like($u[-1], qr/COUNT 500\z/, 'a batch has that many messages');

like(batches('499'), qr/ NO \[TOOFEW\] /, 'a small batch');
like(batches('0'), qr/ (?:NO|BAD) /, 'none');
like(batches('500 20:10'), qr/ BAD \[CLIENTBUG\] /, 'backwards');
like(batches($_), qr/ BAD /, "'$_'") for '', 'abc', '500 10', '500 0:1',
    '500 1:', '500 :1', '500 1:2:3', '500 1:2 x', '4294967296';

# it leaves $ alone, and does without numbers
$c->imap('UID SEARCH RETURN (SAVE) UID 21');
batches('500');
($r, @u) = $c->imap('UID SEARCH UID $');
is($u[-1], '* SEARCH 21', '$ is what it was');
$c->imap('ENABLE UIDONLY');
is(batches('500'), expected(500, 1, 9), 'with UIDONLY');
done_testing();
