# t/jmap/shared-query.t - Email/queryChanges in another user's account: what may be
# seen, and nothing else (RFC 8620 5.6, RFC 4314)
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'b' });
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $bob = $t->connect($t->start('imapd', 'imap'));
$bob->imap_line;
sub bob {
	my ($ok) = $bob->imap($_[0]);
	like($ok, qr/ OK/, $_[0]);
}
my $n = 0;
sub append {
	my ($box) = @_;
	my $text = sprintf "Subject: m%d\r\nDate: Mon, 23 Nov 2026 10:00:%02d "
	    . "+0000\r\n\r\nx\r\n", ++$n, $n;
	bob(sprintf "APPEND %s {%d+}\r\n%s", $box, length $text, $text);
}

bob('LOGIN bob b');
bob("CREATE $_") for qw(open hidden);
append($_) for qw(open hidden open open hidden);
bob('SETACL open alice lr');
bob('SELECT open');
my ($acct) = grep { $_ ne $t->account } keys %{ $t->session->{accounts} };
$t->{acct} = $acct;
my @queries = ({ sort => [{ property => 'size' }] },
	{ filter => { notKeyword => '$seen' } }, { collapseThreads => $T });
my @kept;

sub query {
	my ($q) = @_;
	my $r = $t->call('Email/query', { %$q, calculateTotal => $T });
	is($r->{canCalculateChanges}, $T, 'canCalculateChanges');
	return $r;
}
# All lists, patched, are what they are run anew.
sub follow {
	my ($what, $removed) = @_;
	for my $i (0 .. $#queries) {
		my $ch = $t->call('Email/queryChanges', { %{ $queries[$i] },
			calculateTotal => $T,
			sinceQueryState => $kept[$i]{queryState} });
		my %was = map { $_ => 1 } @{ $kept[$i]{ids} };
		is(scalar(grep { !$was{$_} } @{ $ch->{removed} }), 0,
		    "$what: nothing is removed that wasn't there");
		my %gone = map { $_ => 1 } @{ $ch->{removed} || [] };
		my @ids = grep { !$gone{$_} } @{ $kept[$i]{ids} };
		splice(@ids, $_->{index}, 0, $_->{id}) for @{ $ch->{added} };
		$kept[$i] = query($queries[$i]);
		is_deeply(\@ids, $kept[$i]{ids}, "$what: query $i");
		is($ch->{total}, $kept[$i]{total}, 'total');
	}
}
@kept = map { query($_) } @queries;
is(scalar @{ $kept[0]{ids} }, 3, 'what is shown');
follow('nothing');
bob('STORE 2 +FLAGS (\\Seen)');
follow('a flag');
append('hidden');
follow('a message that is not shown');
append('open');
follow('one that is');
bob('STORE 1 +FLAGS (\\Deleted)');
follow('\\Deleted');
bob('EXPUNGE');
bob('MOVE 1 hidden');
follow('out of sight');
is(scalar @{ $kept[0]{ids} }, 2, 'two are left');

# A list that nobody has any more, and other rights.
sub changes {
	my ($q, $state) = @_;
	return $t->call('Email/queryChanges', { %$q,
		sinceQueryState => $state });
}
my $old = $kept[0]{queryState};
append('open');
follow('one more');
is(changes($queries[0], $old)->{error}, 'cannotCalculateChanges',
    'an older list: what was seen then is not known');
is(changes({ sort => [{ property => 'from' }] }, $kept[0]{queryState})
	->{error}, 'cannotCalculateChanges', 'nor of one never asked for');
bob('SETACL hidden alice lr');
is(changes($queries[0], $kept[0]{queryState})->{error},
    'cannotCalculateChanges', 'nor with other rights');
is(scalar @{ query($queries[0])->{ids} }, 7, 'all are shown');
done_testing;
