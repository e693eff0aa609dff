# t/jmap/quota.t - Quota/get, /changes, /query, /queryChanges (RFC 9425)
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $cap = 'urn:ietf:params:jmap:quota';
my $t = CulverJmap->new(users => { alice => 'secret', bob => 'other' },
	using => ['quota'], conf => "quota-size = 4K\nquota-messages = 3\n"
	    . "max-mailboxes = 20\n");
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $mail = "Subject: x\r\n\r\n" . 'x' x 1000 . "\r\n";

sub get { $t->call('Quota/get', { ids => undef, @_ }) }
sub used { return { map { ($_->{id} => $_->{used}) } @{ get()->{list} } } }
sub changes { $t->call('Quota/changes', { sinceState => @_ }) }
sub query {
	my $r = $t->call('Quota/query', { @_ });
	return $r->{error} // join ' ', @{ $r->{ids} };
}

my $s = $t->session;
is_deeply($s->{capabilities}{$cap}, {}, 'advertised');
is_deeply($s->{accounts}{ $t->account }{accountCapabilities}{$cap}, {},
    'for the account');
is($s->{primaryAccounts}{$cap}, $t->account, 'the primary account');

# ---- get (an account that JMAP made has the limits of new ones)
my $r = get();
my $boxes = @{ $t->call('Mailbox/get', { ids => undef })->{list} };
my @none = (warnLimit => undef, softLimit => undef, description => undef);
is_deeply($r->{list}, [
	{ id => 'Q1', resourceType => 'octets', used => 0, hardLimit => 4096,
	    scope => 'account', name => 'Mail storage', types => ['Email'], @none },
	{ id => 'Q2', resourceType => 'count', used => 0, hardLimit => 3,
	    scope => 'account', name => 'Messages', types => ['Email'], @none },
	{ id => 'Q3', resourceType => 'count', used => $boxes, hardLimit => 20,
	    scope => 'account', name => 'Mailboxes', types => ['Mailbox'], @none }],
    'all of them');
my $state = $r->{state};
is(get()->{state}, $state, 'the same state');
$r = get(ids => ['Q2', 'Q4', 'Q0', 'x'], properties => ['used']);
is_deeply($r->{list}, [{ id => 'Q2', used => 0 }], 'one property');
is_deeply($r->{notFound}, ['Q4', 'Q0', 'x'], 'notFound');
is(get(properties => ['foo'])->{error}, 'invalidArguments', 'no such property');
is(get(accountId => 'Ax')->{error}, 'accountNotFound', 'no such account');

# ---- changes
my ($stream) = $t->stream('types=Quota&closeafter=no&ping=0');
$r = changes($state);
is_deeply([@$r{qw(created updated destroyed updatedProperties hasMoreChanges
	oldState newState)}], [[], [], [], undef, $F, $state, $state], 'no changes');
my $id = $t->import_mail($mail);
is_deeply(used(), { Q1 => length $mail, Q2 => 1, Q3 => $boxes }, 'used');
my $e = CulverJmap::event($stream);
is_deeply($e->{data}{changed}, { $t->account => { Quota => get()->{state} } },
    'pushed');
$t->call('Email/set', { update => { $id => { 'keywords/$seen' => $T } } });
ok(!defined CulverJmap::event($stream, 0.3), 'not where nothing is different');
$r = changes($state);
is_deeply([@$r{qw(created updated destroyed updatedProperties)}],
    [[], ['Q1', 'Q2'], [], ['used']], 'used alone has changed');
is($r->{newState}, get()->{state}, 'newState');
$r = changes($state, maxChanges => 1);
is_deeply([$r->{updated}, $r->{hasMoreChanges}], [['Q1'], $T], 'maxChanges');
my $r2 = changes($r->{newState}, maxChanges => 1);
is_deeply([$r2->{updated}, $r2->{hasMoreChanges}], [['Q2'], $F], 'the rest');
is($r2->{newState}, get()->{state}, 'up to now');
my ($ch, $g) = $t->calls(['Quota/changes', { sinceState => $state }, 'a'],
    ['Quota/get', { map { ("#$_->[0]" => { resultOf => 'a', name =>
	'Quota/changes', path => $_->[1] }) } [ids => '/updated'],
	[properties => '/updatedProperties'] }, 'b']);
is_deeply($g->[1]{list}, [{ id => 'Q1', used => length $mail },
	{ id => 'Q2', used => 1 }], "the RFC's own example");
# Limits: a state of an account that had others.
my $now = get()->{state};
my @n = split /-/, $now;
$r = changes(join '-', @n[0 .. 2], 0, 7, $n[5]);
is_deeply([@$r{qw(created updated destroyed updatedProperties)}],
    [['Q1'], ['Q2'], [], undef], 'limits');
for ('', 'x', '1-2', "$now-1", "0$now", uc("$now-a"), "$now ", '5',
    join('-', ('f' x 17) x 6)) {
	is(changes($_)->{error}, 'cannotCalculateChanges', "no state: $_");
}
is(changes($now, maxChanges => 0)->{error}, 'invalidArguments', 'maxChanges 0');

# ---- it is what is enforced
$t->import_mail("$_$mail") for "A: 1\r\n", "A: 2\r\n";
$r = $t->import_mail("A: 3\r\n$mail");
is($r->{notCreated}{k}{type}, 'overQuota', 'no more messages');
is(used()->{Q2}, 3, 'as many as the limit');
$t->call('Email/set', { destroy => [$id] });
is(used()->{Q2}, 2, 'one less');
is($t->import_mail('Subject: ' . 'y' x 3000 . "\r\n\r\n")->{notCreated}{k}{type},
    'overQuota', 'no more octets');
$t->call('Mailbox/set', { create => { map { $_ => { name => $_ } } 'a', 'b' } });
is(used()->{Q3}, $boxes + 2, 'two mailboxes more');

# ---- query
is(query(), 'Q1 Q2 Q3', 'all');
for ([{ name => 'Mail' }, 'Q1 Q3'], [{ name => 'mail' }, ''], [{ name => '' },
	'Q1 Q2 Q3'], [{ scope => 'account' }, 'Q1 Q2 Q3'], [{ scope => 'domain' }, ''],
    [{ resourceType => 'count' }, 'Q2 Q3'], [{ resourceType => 'octets' }, 'Q1'],
    [{ type => 'Email' }, 'Q1 Q2'], [{ type => 'Mailbox' }, 'Q3'],
    [{ type => 'Email', resourceType => 'count' }, 'Q2'], [{}, 'Q1 Q2 Q3'],
    [{ operator => 'OR', conditions => [{ name => 'Messages' },
	{ type => 'Mailbox' }] }, 'Q2 Q3'],
    [{ operator => 'AND', conditions => [{ name => 'Mail' },
	{ resourceType => 'count' }] }, 'Q3'],
    [{ operator => 'NOT', conditions => [{ type => 'Email' }] }, 'Q3'],
    [{ operator => 'OR', conditions => [] }, ''],
    [{ foo => 'x' }, 'unsupportedFilter'], [{ name => 5 }, 'invalidArguments'],
    [{ operator => 'XOR', conditions => [] }, 'invalidArguments'],
    [{ operator => 'AND', conditions => [5] }, 'invalidArguments']) {
	is(query(filter => $_->[0]), $_->[1], $CulverJmap::json->encode($_->[0]));
}
is(query(sort => [{ property => 'name' }]), 'Q1 Q3 Q2', 'by name');
is(query(sort => [{ property => 'used', isAscending => $F }]), 'Q1 Q3 Q2',
    'by what is used');
is(query(sort => [{ property => 'scope' }]), 'unsupportedSort', 'by another');
is(query(sort => [{ property => 'name', collation => 'x' }]), 'unsupportedSort',
    'a collation');
is(query(sort => [{}]), 'invalidArguments', 'no Comparator');
is(query(position => 1, limit => 1), 'Q2', 'a window');
is(query(anchor => 'Q9'), 'anchorNotFound', 'anchor');
$r = $t->call('Quota/query', { calculateTotal => $T });
is($r->{total}, 3, 'total');
is($r->{queryState}, get()->{state}, 'queryState');
is($r->{canCalculateChanges}, $T, 'canCalculateChanges');

# ---- queryChanges
my $qs = $r->{queryState};
sub qchanges { $t->call('Quota/queryChanges', { sinceQueryState => @_ }) }
$r = qchanges($qs);
is_deeply([@$r{qw(removed added newQueryState)}], [[], [], $qs], 'no changes');
$t->import_mail("Subject: y\r\n\r\n");
$r = qchanges($qs, sort => [{ property => 'name' }], calculateTotal => $T);
is_deeply($r->{removed}, ['Q1', 'Q2'], 'removed');
is_deeply($r->{added}, [{ id => 'Q1', index => 0 }, { id => 'Q2', index => 2 }],
    'added');
is($r->{total}, 3, 'total');
is($r->{newQueryState}, get()->{state}, 'newQueryState');
$r = qchanges($qs, filter => { resourceType => 'octets' });
is_deeply([@$r{qw(removed added)}], [['Q1', 'Q2'], [{ id => 'Q1', index => 0 }]],
    'with a filter');
is(qchanges('x')->{error}, 'cannotCalculateChanges', 'a state that is none');
is(qchanges($qs, maxChanges => 1)->{error}, 'tooManyChanges', 'tooManyChanges');

# ---- what the client does not use
{
	local $t->{using} = ['urn:ietf:params:jmap:core', $cap];
	is_deeply(get()->{list}, [], 'types of capabilities that are not used');
	is(query(), '', 'nor in a query');
	is_deeply(changes($state)->{updated}, [], 'nor in changes');
	local $t->{using} = ['urn:ietf:params:jmap:core'];
	is(get()->{error}, 'unknownMethod', 'not without the capability');
}

my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
