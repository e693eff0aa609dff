# t/jmap/submission-query.t - EmailSubmission/query and /queryChanges (RFC 8621
# 7.3, 7.4)
use strict;
use warnings;
use Test::More;
use POSIX qw(strftime);
use CulverJmap;

# Nobody listens there: all that is submitted for later stays pending.
my $t = CulverJmap->new(users => { alice => 'secret' },
	using => ['submission'],
	conf => qq(domains = {"example.org"}\nsmtp-relay = "127.0.0.1:9"\n));
my $one = $t->call('Identity/get', {})->{list}[0]{id};
my $two = $t->call('Identity/set', { create => { x =>
	{ email => 'alice@example.org' } } })->{created}{x}{id};
my @mail = map { $t->import_mail("From: alice\@example.org\r\n"
	. "To: x\@x.test\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n"
	. "Message-ID: <$_\@x>\r\nSubject: s$_\r\n\r\nx\r\n") } 0 .. 1;
my %thread = map { $_->{id} => $_->{threadId} } @{ $t->call('Email/get',
	{ ids => \@mail, properties => ['threadId'] })->{list} };
my $now = time;

sub submit {
	my ($identity, $email, $in) = @_;
	my $r = $t->call('EmailSubmission/set', { create => { k => {
		identityId => $identity, emailId => $email, envelope => {
		mailFrom => { email => 'alice@example.org', parameters =>
			{ HOLDUNTIL => strftime('%FT%TZ', gmtime($now + $in)) } },
		rcptTo => [{ email => 'x@x.test' }] } } } });
	return $r->{created}{k}{id} // diag explain $r;
}
sub query {
	my (%o) = @_;
	my $r = $t->call('EmailSubmission/query', \%o);
	return $r->{error} // join ' ', @{ $r->{ids} };
}
sub filter { query(filter => { @_ }) }
sub utc { strftime('%FT%TZ', gmtime($now + $_[0])) }

my $a = submit($one, $mail[0], 3000);
my $b = submit($two, $mail[1], 1000);
my $c = submit($one, $mail[1], 2000);
my $state = $t->call('EmailSubmission/query', {})->{queryState};

is(query(), "$a $b $c", 'all');
is(filter(identityIds => [$one]), "$a $c", 'identityIds');
is(filter(identityIds => [$one, $two, 'I999', 'x']), "$a $b $c", 'several');
is(filter(identityIds => []), '', 'none');
is(filter(emailIds => [$mail[1]]), "$b $c", 'emailIds');
is(filter(threadIds => [$thread{ $mail[0] }]), $a, 'threadIds');
is(filter(undoStatus => 'pending'), "$a $b $c", 'undoStatus');
is(filter(undoStatus => 'final'), '', 'another');
is(filter(undoStatus => 'nonsense'), '', 'one that there is not');
is(filter(before => utc(2000)), $b, 'before');
is(filter(after => utc(2000)), "$a $c", 'after');
is(filter(after => utc(1000), before => utc(3000)), "$b $c", 'both');
is(filter(identityIds => [$one], emailIds => [$mail[1]]), $c, 'all of them');
is(filter(operator => 'OR', conditions => [{ identityIds => [$two] },
	{ emailIds => [$mail[0]] }]), "$a $b", 'OR');
is(filter(operator => 'NOT', conditions => [{ identityIds => [$two] },
	{ emailIds => [$mail[0]] }]), $c, 'NOT');
is(filter(operator => 'AND', conditions => [{ identityIds => [$one] },
	{ operator => 'NOT', conditions => [{ before => utc(2500) }] }]), $a,
    'AND');
is(filter(operator => 'OR', conditions => []), '', 'OR of none');
is(filter(operator => 'AND', conditions => []), "$a $b $c", 'AND of none');
for ([foo => 1, 'unsupportedFilter'], [identityIds => 'x',
	'invalidArguments'], [emailIds => [5], 'invalidArguments'],
    [undoStatus => 5, 'invalidArguments'], [before => 'yesterday',
	'invalidArguments'], [operator => 'XOR', 'invalidArguments']) {
	is(filter(@$_[0, 1]), $_->[2], "$_->[0]: $_->[2]");
}

is(query(sort => [{ property => 'sentAt' }]), "$b $c $a", 'sentAt');
is(query(sort => [{ property => 'sendAt', isAscending =>
	JSON::PP::false }]), "$a $c $b", 'descending');
is(query(sort => [{ property => 'emailId' }, { property => 'sentAt',
	isAscending => JSON::PP::false }]), "$a $c $b", 'emailId');
is(query(sort => [{ property => 'threadId', isAscending =>
	JSON::PP::false }]), "$b $c $a", 'threadId');
is(query(sort => [{ property => 'foo' }]), 'unsupportedSort', 'none');
is(query(sort => [5]), 'invalidArguments', 'no Comparator');
is(query(sort => [{ property => 'sentAt' }], position => 1, limit => 1), $c,
    'a window');
is(query(anchor => $b, anchorOffset => -1), "$a $b $c", 'anchor');
is($t->call('EmailSubmission/query', { calculateTotal => JSON::PP::true,
	limit => 0 })->{total}, 3, 'total');

# ---- changes
my $r = $t->call('EmailSubmission/queryChanges', { sinceQueryState => $state });
is_deeply([$r->{removed}, $r->{added}], [[], []], 'no changes');
my $d = submit($one, $mail[0], 1500);
$t->call('EmailSubmission/set', { update => { $c =>
	{ undoStatus => 'canceled' } } });
$r = $t->call('EmailSubmission/queryChanges', { sinceQueryState => $state,
	sort => [{ property => 'sentAt' }], calculateTotal => JSON::PP::true });
is_deeply($r->{removed}, [$c], 'removed');
is_deeply($r->{added}, [{ id => $d, index => 1 }, { id => $c, index => 2 }],
    'added');
is($r->{total}, 4, 'total');
$r = $t->call('EmailSubmission/queryChanges', { sinceQueryState => $state,
	filter => { undoStatus => 'pending' } });
is_deeply([$r->{removed}, $r->{added}], [[$c], [{ id => $d, index => 2 }]],
    'with a filter');
is($t->call('EmailSubmission/queryChanges', { sinceQueryState => $state,
	maxChanges => 1 })->{error}, 'tooManyChanges', 'tooManyChanges');
is($t->call('EmailSubmission/queryChanges', { sinceQueryState => 'x' })
    ->{error}, 'cannotCalculateChanges', 'a state that is none');
my $list = $t->call('EmailSubmission/changes', { sinceState => $state });
is_deeply([$list->{created}, $list->{updated}], [[$d], [$c]], 'changes');
done_testing();
