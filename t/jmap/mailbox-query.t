# t/jmap/mailbox-query.t - Mailbox/query, Mailbox/queryChanges (RFC 8621 2.3, 2.4)
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => qq(folder "Sent" { role = "sent" }\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my %id = (INBOX => $t->mailbox('inbox'), Sent => $t->mailbox('sent'));
my %name = reverse %id;

sub create {
	my ($name, %o) = @_;
	my $r = $t->call('Mailbox/set', { create => { x => { name => $name, %o } } });
	$id{$name} = $r->{created}{x}{id} or die "$name: not created";
	$name{ $id{$name} } = $name;
}
sub query { $t->call('Mailbox/query', { @_ }) }
sub names {
	my $r = query(@_);
	return $r->{ids} ? join(' ', map { $name{$_} } @{ $r->{ids} }) : $r->{type};
}
my $by_name = [{ property => 'name' }];

create('work', sortOrder => 5);
create('Alpha', parentId => $id{work}, sortOrder => 2);
create('beta', parentId => $id{work}, sortOrder => 1);
create('deep', parentId => $id{beta}, isSubscribed => $F);
create("\x{c4}rger");
create('zoo', sortOrder => 1);

# ---- order
is(names(sort => $by_name), "Alpha \x{c4}rger beta deep INBOX Sent work zoo",
    'by name, without case, marks behind their letters');
is(names(sort => [{ property => 'name', isAscending => $F }]),
    "zoo work Sent INBOX deep beta \x{c4}rger Alpha", 'descending');
is(names(sort => [{ property => 'name', collation => 'i;octet' }]),
    "Alpha INBOX Sent beta deep work zoo \x{c4}rger", 'by octets');
is(names(sort => [{ property => 'name', collation => 'i;ascii-casemap' }]),
    "Alpha beta deep INBOX Sent work zoo \x{c4}rger", 'by ASCII letters');
is(names(sort => [{ property => 'name', collation => 'i;ascii-numeric' }],
	filter => { parentId => $id{work} }), 'Alpha beta',
    'by numbers: names without one are equal');
is(names(sort => [{ property => 'sortOrder', isAscending => $F },
	{ property => 'name' }]),
    "work Alpha beta zoo \x{c4}rger deep INBOX Sent", 'by two properties');
is(names(sort => $by_name, sortAsTree => $T),
    "\x{c4}rger INBOX Sent work Alpha beta deep zoo", 'as a tree');
is(names(sort => [{ property => 'name', isAscending => $F }], sortAsTree => $T),
    "zoo work beta deep Alpha Sent INBOX \x{c4}rger",
    'a parent comes first in any order');
is(names(sort => [{ property => 'totalEmails' }]), 'unsupportedSort',
    'a property without order');
is(names(sort => [{ property => 'name', collation => 'i;x' }]),
    'unsupportedSort', 'an unknown collation');
is(names(sort => [{ property => 5 }]), 'invalidArguments', 'no Comparator');

# ---- filters
my @filters = (
	[{ parentId => undef }, "\x{c4}rger INBOX Sent work zoo"],
	[{ parentId => $id{work} }, 'Alpha beta'],
	[{ parentId => 'M99' }, ''],
	[{ parentId => 5 }, 'invalidArguments'],
	[{ name => 'E' }, "\x{c4}rger beta deep Sent"],
	[{ name => "\x{e4}R" }, "\x{c4}rger"],
	[{ name => '' }, "Alpha \x{c4}rger beta deep INBOX Sent work zoo"],
	[{ name => undef }, 'invalidArguments'],
	[{ role => 'sent' }, 'Sent'],
	[{ role => undef }, "Alpha \x{c4}rger beta deep work zoo"],
	[{ role => 'moonbeam' }, ''],
	[{ role => $T }, 'invalidArguments'],
	[{ hasAnyRole => $T }, 'INBOX Sent'],
	[{ hasAnyRole => $F, isSubscribed => $T },
	    "Alpha \x{c4}rger beta work zoo"],
	[{ isSubscribed => $F }, 'deep'],
	[{ isSubscribed => 'no' }, 'invalidArguments'],
	[{ colour => 'red' }, 'invalidArguments'],
	[{}, "Alpha \x{c4}rger beta deep INBOX Sent work zoo"],
	[{ operator => 'OR', conditions => [{ role => 'inbox' },
	    { operator => 'NOT', conditions => [{ name => 'a' },
	        { name => 'e' }, { hasAnyRole => $T }] }] }, 'INBOX work zoo'],
	[{ operator => 'AND', conditions => [{ name => 'a' },
	    { parentId => $id{work} }] }, 'Alpha beta'],
	[{ operator => 'XOR', conditions => [] }, 'invalidArguments'],
	[{ operator => 'OR', conditions => [] }, ''],
	[{ operator => 'AND', conditions => [5] }, 'invalidArguments'],
);
is(names(filter => $_->[0], sort => $by_name), $_->[1],
    'filter ' . $CulverJmap::json->encode($_->[0])) for @filters;
is(names(filter => { name => 'e' }, filterAsTree => $T, sort => $by_name),
    "\x{c4}rger Sent", 'what is below a mailbox that is left out is too');
is(names(filter => { operator => 'NOT', conditions => [{ name => 'alp' }] },
	filterAsTree => $T, sortAsTree => $T, sort => $by_name),
    "\x{c4}rger INBOX Sent work beta deep zoo", 'a filtered tree');
is(names(filter => { operator => 'OR',
	conditions => [map { { name => 'x' } } 1 .. 2000] }),
    'unsupportedFilter', 'too many conditions');

# ---- windows
my %all = (sort => $by_name);
is(names(%all, position => 2, limit => 2), 'beta deep', 'position and limit');
is(names(%all, position => -2), "work zoo", 'from the end');
is(names(%all, position => 99), '', 'behind the end');
is(names(%all, anchor => $id{deep}, anchorOffset => -1, limit => 2),
    'beta deep', 'an anchor');
is(names(%all, anchor => 'M99'), 'anchorNotFound', 'no such anchor');
is(names(%all, limit => -1), 'invalidArguments', 'a negative limit');
my $r = query(%all, limit => 1, calculateTotal => $T);
is($r->{total}, 8, 'total');
is($r->{canCalculateChanges}, $T, 'changes can be told');

# ---- changes: a list that is kept by them is what a query says
sub changes { $t->call('Mailbox/queryChanges', { @_ }) }
sub apply {
	my ($ids, $ch) = @_;
	my %gone = map { $_ => 1 } @{ $ch->{removed} };
	my @ids = grep { !$gone{$_} } @$ids;
	splice(@ids, $_->{index}, 0, $_->{id}) for @{ $ch->{added} };
	return \@ids;
}
my @queries = (
	{ sort => $by_name },
	{ sort => $by_name, filter => { name => 'e' } },
	{ sort => $by_name, sortAsTree => $T },
	{ sort => [{ property => 'sortOrder' }, { property => 'name' }],
	    sortAsTree => $T, filterAsTree => $T,
	    filter => { isSubscribed => $T } },
	{ filter => { parentId => $id{work} }, sort => $by_name },
);
my @kept = map { query(%$_) } @queries;
sub check {
	my ($what, $touched) = @_;
	for my $i (0 .. $#queries) {
		my $ch = changes(%{ $queries[$i] }, calculateTotal => $T,
			sinceQueryState => $kept[$i]{queryState});
		my $now = query(%{ $queries[$i] });
		is_deeply(apply($kept[$i]{ids}, $ch), $now->{ids},
		    "$what: query $i") or diag explain $ch;
		is($ch->{total}, @{ $now->{ids} }, "$what: total $i");
		is($ch->{newQueryState}, $now->{queryState}, "$what: state $i");
		cmp_ok(@{ $ch->{removed} } + @{ $ch->{added} }, '<=', $touched,
		    "$what: no more than what changed");
		$kept[$i] = $now;
	}
}
sub set { $t->call('Mailbox/set', { @_ }) }
check('nothing', 0);
create('epsilon', parentId => $id{work});
check('a new one', 1);
set(update => { $id{beta} => { name => 'gamma' } });
check('renamed', 4);
set(update => { $id{work} => { isSubscribed => $F } });
check('not subscribed any more', 10);
set(update => { $id{work} => { isSubscribed => $T, name => 'A' },
	$id{zoo} => { parentId => $id{work} } });
check('two at once', 12);
set(destroy => [$id{epsilon}]);
check('destroyed', 1);
set(create => { y => { name => 'gone' } }, destroy => ['#y']);
check('created and destroyed', 1);
$t->import_mail("Subject: x\r\n\r\nx\r\n");
check('counts alone', 0);

is(changes(sinceQueryState => 'x')->{type}, 'cannotCalculateChanges',
    'a bad state');
is(changes(sinceQueryState => '999999')->{type}, 'cannotCalculateChanges',
    'a state of the future');
is(changes()->{type}, 'invalidArguments', 'no state');
my $old = query(%all)->{queryState};
set(update => { map { $id{$_} => { sortOrder => 9 } } qw(work Alpha beta) });
is(changes(%all, sinceQueryState => $old, maxChanges => 5)->{type},
    'tooManyChanges', 'more than the client takes');
is(scalar @{ changes(%all, sinceQueryState => $old, maxChanges => 6)->{added} },
    3, 'as many as it takes');
is(changes(%all, sinceQueryState => $old, maxChanges => 0)->{type},
    'invalidArguments', 'maxChanges 0');
done_testing();
