# t/imap/inprogress.t - INPROGRESS (RFC 9585) while a search takes long
use strict;
use warnings;
use CulverTest;
use Test::More;

# every millisecond is long here
my $t = CulverTest->new(users => { alice => 'secret' },
	conf => "imap-progress-ms = 1\n");
my $c = $t->connect($t->start('imapd', 'imap'));
$c->imap_line;
my ($r) = $c->imap('LOGIN alice secret');
like($r, qr/ INPROGRESS /, 'the capability');
my $mail = "Subject: x\r\n\r\n" . ('some text that has to be read ' x 10 .
	"\r\n") x 300;
my $n = 60;
$c->put("ap$_ APPEND INBOX {" . length($mail) . "+}\r\n$mail\r\n") for 1 .. $n;
$c->imap_line for 1 .. $n;
$c->imap('SELECT INBOX');

sub progress {
	my ($command) = @_;
	my ($r, @u) = $c->imap($command);
	my ($tag) = $r =~ /\A(\S+) OK/ or return fail("$command: $r");
	my @p = grep { /INPROGRESS/ } @u;
	cmp_ok(scalar @p, '>', 0, "$command: told");
	my $last = -1;
	for (@p) {
		/\A\* OK \[INPROGRESS \("\Q$tag\E" (\d+) (\d+)\)\] \S/ &&
		    $1 >= $last && $1 < $2 && $2 == $n or
		    fail("$command: $_");
		$last = $1;
	}
	return @u;
}
my @u = progress('SEARCH BODY "nowhere"');
is($u[-1], '* SEARCH', 'the answer comes last');
@u = progress('UID SEARCH RETURN (COUNT) BODY "read"');
like($u[-1], qr/\A\* ESEARCH .* COUNT $n\z/, 'with RETURN');
progress('SORT (SUBJECT) UTF-8 BODY "read"');
progress('THREAD REFERENCES UTF-8 BODY "read"');
($r, @u) = $c->imap('ESEARCH IN (personal) RETURN (COUNT) BODY "read"');
my @p = grep { /INPROGRESS/ } @u;
like($p[0], qr/\A\* OK \[INPROGRESS \("\w+" NIL NIL\)\]/,
    'over many mailboxes nobody knows how many');

# not where it is off, and not before it is time
for my $ms (0, 3600000) {
	my $t = CulverTest->new(users => { alice => 'secret' },
		conf => "imap-progress-ms = $ms\n");
	my $c = $t->connect($t->start('imapd', 'imap'));
	$c->imap_line;
	$c->imap('LOGIN alice secret');
	$c->put("ap$_ APPEND INBOX {" . length($mail) . "+}\r\n$mail\r\n")
	    for 1 .. 10;
	$c->imap_line for 1 .. 10;
	$c->imap('SELECT INBOX');
	my ($r, @u) = $c->imap('SEARCH BODY "nowhere"');
	is_deeply(\@u, ['* SEARCH'], "imap-progress-ms = $ms");
}
done_testing();
