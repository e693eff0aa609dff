# t/jmap/core.t - method calls: Core/echo, errors, references, created ids
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => "jmap-max-objects-in-get = 3\njmap-max-objects-in-set = 3\n");
my $J = $CulverJmap::json;
my $acct = $t->account;

sub api {
	my ($calls, %more) = @_;
	my $r = $t->post($J->encode({ using => ['urn:ietf:params:jmap:core',
		'urn:ietf:params:jmap:mail'], methodCalls => $calls, %more }));
	is($r->{status}, 200, 'answered');
	return $r->{json};
}

my $args = { hello => JSON::PP::true, high => 5, list => [1, { x => undef }],
	text => "\x{e9}\x{1f600}\0", num => 1.5 };
my $r = api([['Core/echo', $args, 'b3ff']]);
is_deeply($r->{methodResponses}, [['Core/echo', $args, 'b3ff']], 'Core/echo');
is($r->{sessionState}, $t->session->{state}, 'sessionState');
ok(!exists $r->{createdIds}, 'no createdIds unless given');

# ---- what may be called
$r = $t->post($J->encode({ using => [], methodCalls =>
	[['Core/echo', {}, 'a'], ['Mailbox/get', { accountId => $acct }, 'b']] }));
is_deeply($r->{json}{methodResponses}, [['error', { type => 'unknownMethod' },
	'a'], ['error', { type => 'unknownMethod' }, 'b']],
    'nothing in "using": no method is known');
$r = $t->post($J->encode({ using => ['urn:ietf:params:jmap:mail'],
	methodCalls => [['Core/echo', {}, 'a'],
	['Mailbox/get', { accountId => $acct, ids => [] }, 'b']] }));
is($r->{json}{methodResponses}[0][1]{type}, 'unknownMethod', 'core not in use');
is($r->{json}{methodResponses}[1][0], 'Mailbox/get', 'mail in use');
$r = api([['Foo/get', {}, '1'], ['mailbox/get', {}, '2'],
	['Core/echo', {}, '3']]);
is_deeply([map { $_->[1]{type} // $_->[0] } @{ $r->{methodResponses} }],
    [('unknownMethod') x 2, 'Core/echo'], 'one error does not end the request');

# ---- arguments
my @bad = (
	[{ }, 'invalidArguments'],
	[{ accountId => undef }, 'invalidArguments'],
	[{ accountId => 1 }, 'invalidArguments'],
	[{ accountId => 'A0' }, 'accountNotFound'],
	[{ accountId => $acct, ids => 'x' }, 'invalidArguments'],
	[{ accountId => $acct, ids => [1] }, 'invalidArguments'],
	[{ accountId => $acct, ids => [], foo => 1 }, 'invalidArguments'],
	[{ accountId => $acct, properties => ['foo'] }, 'invalidArguments'],
	[{ accountId => $acct, properties => 'id' }, 'invalidArguments'],
	[{ accountId => $acct, ids => [qw(a b c d)] }, 'requestTooLarge'],
);
for (@bad) {
	my $r = api([['Mailbox/get', $_->[0], 'x']]);
	is($r->{methodResponses}[0][0], 'error', 'refused');
	is($r->{methodResponses}[0][1]{type}, $_->[1], $J->encode($_->[0]));
}
$r = $t->call('Mailbox/get', { ids => ['nope', 'M1ffffffffffffff', 'nope'] });
is_deeply([sort @{ $r->{notFound} }], ['M1ffffffffffffff', 'nope'],
    'notFound, each once');
is_deeply($r->{list}, [], 'empty list');
is($t->call('Mailbox/get', { ids => ['x'], properties => undef })->{error},
    undef, 'null properties');

# ---- result references, RFC 8620 3.7
my ($a, $b) = map { $_->[1] } $t->calls(
	['Core/echo', { ids => ['a', 'b'], list => [{ e => ['1', '2'] },
		{ e => ['3'] }], id => 'x' }, 't0'],
	['Core/echo', { '#ids' => { resultOf => 't0', name => 'Core/echo',
		path => '/ids' }, '#all' => { resultOf => 't0',
		name => 'Core/echo', path => '/list/*/e' },
		'#one' => { resultOf => 't0', name => 'Core/echo',
		path => '/id' } }, 't1']);
is_deeply($b->{ids}, ['a', 'b'], 'a reference');
is_deeply($b->{all}, ['1', '2', '3'], 'mapped and flattened');
is($b->{one}, 'x', 'to a string');
ok(!exists $b->{'#ids'}, 'the reference itself is gone');
for (['unknown call', { resultOf => 'x', name => 'Core/echo', path => '/a' }],
    ['later call', { resultOf => 'c2', name => 'Core/echo', path => '/a' }],
    ['another name', { resultOf => 't0', name => 'Foo', path => '/a' }],
    ['no such path', { resultOf => 't0', name => 'Core/echo', path => '/b' }],
    ['no pointer', { resultOf => 't0', name => 'Core/echo', path => 'a' }],
    ['bad escape', { resultOf => 't0', name => 'Core/echo', path => '/~2' }],
    ['not an object', 'x'], ['without a path', { resultOf => 't0' }],
    ['null', undef]) {
	my (undef, $r) = $t->calls(['Core/echo', { a => 1 }, 't0'],
		['Core/echo', { '#a' => $_->[1] }, 't1'],
		['Core/echo', { a => 2 }, 'c2']);
	is($r->[1]{type}, 'invalidResultReference', $_->[0]);
}
my (undef, $both) = $t->calls(['Core/echo', { a => 1 }, 't0'],
	['Core/echo', { a => 1, '#a' => { resultOf => 't0',
		name => 'Core/echo', path => '/a' } }, 't1']);
is($both->[1]{type}, 'invalidArguments', 'in both forms');
# An error response has another name.
my (undef, $err) = $t->calls(['Foo/get', {}, 't0'],
	['Core/echo', { '#a' => { resultOf => 't0', name => 'Foo/get',
		path => '/list' } }, 't1']);
is($err->[1]{type}, 'invalidResultReference', 'to a call that failed');
# Each call doubles: 2^60 would not end.
my @double = (['Core/echo', { a => ['xxxxxxxxxxxxxxxx'], b => [] }, 'd0']);
for my $n (1 .. 60) {
	push @double, ['Core/echo', { map {
		("#$_" => { resultOf => 'd' . ($n - 1), name => 'Core/echo',
		path => '' }) } qw(a b) }, "d$n"];
}
my $big = $t->post($J->encode({ using => ['urn:ietf:params:jmap:core'],
	methodCalls => \@double }));
is($big->{status}, 200, 'doubling references');
cmp_ok(length $big->{content}, '<', 65 << 20, 'end');
cmp_ok(length $big->{content}, '>', 1 << 20, 'but small ones work');
like($big->{content}, qr/"type":"invalidResultReference",.{10,300}\z/s,
    'the last one does not');

# Call ids may be there twice, and are any string: the first one counts.
is_deeply([$t->calls(['Core/echo', { a => 1 }, "c\0"],
	['Core/echo', { a => 2 }, "c\0"], ['Core/echo', { '#b' =>
	{ resultOf => "c\0", name => 'Core/echo', path => '/a' } }, ''])],
    [['Core/echo', { accountId => $acct, a => 1 }, "c\0"],
	['Core/echo', { accountId => $acct, a => 2 }, "c\0"],
	['Core/echo', { accountId => $acct, b => 1 }, '']], 'call ids');
(undef, my $deep) = $t->calls(['Core/echo', { a => [{ b => [
	{ c => ['1', '2'] }, { c => ['3'] }] }, { b => [{ c => '4' }] }],
	o => { '*' => 5 }, e => [] }, 'c'],
	['Core/echo', { map { ("#r$_->[0]" => { resultOf => 'c',
	name => 'Core/echo', path => $_->[1] }) } [0, '/a/*/b/*/c'],
	[1, '/a/*/b'], [2, '/a/0/b/1/c/0'], [3, '/o/*'], [4, '/e/*/x'] }, 'd']);
is_deeply([@{ $deep->[1] }{map { "r$_" } 0 .. 4}], [[qw(1 2 3 4)],
	[{ c => ['1', '2'] }, { c => ['3'] }, { c => '4' }], '3', 5, []],
    'each "*" flattens what is below it by one level');
for ('/a/-', '/a/00', '/a/2', '/a/-1', '/a/0/b/x', '/a/*/z') {
	(undef, my $no) = $t->calls(['Core/echo', { a => [{ b => [] },
		{ b => [] }] }, 'c'], ['Core/echo', { '#r' => { resultOf => 'c',
		name => 'Core/echo', path => $_ } }, 'd']);
	is($no->[1]{type}, 'invalidResultReference', "$_ leads nowhere");
}

# ---- numbers: Int and UnsignedInt (RFC 8620 1.3)
for (['limit', 1.5], ['limit', -1], ['limit', '1'], ['limit', 9007199254740992],
    ['position', 0.5], ['position', -9007199254740992], ['position', 1e300]) {
	my ($name, $v) = @$_;
	is($t->call('Email/query', { $name => $v })->{error},
	    'invalidArguments', "$name $v");
}
for (['limit', '1.0'], ['limit', '1e1'], ['limit', '9007199254740991'],
    ['position', '-9007199254740991'], ['position', '-0']) {
	my ($name, $v) = @$_;
	my $r = $t->post(qq({"using":["urn:ietf:params:jmap:mail"],)
	    . qq("methodCalls":[["Email/query",{"accountId":"$acct",)
	    . qq("$name":$v},"c"]]}));
	is($r->{json}{methodResponses}[0][0], 'Email/query', "$name $v");
}

# ---- created ids
my ($set, $get) = $t->calls(
	['Mailbox/set', { create => { k1 => { name => 'One' } } }],
	['Mailbox/get', { ids => ['#k1'], properties => ['name'] }]);
my $id = $set->[1]{created}{k1}{id};
is_deeply($get->[1]{list}, [{ id => $id, name => 'One' }],
    'a creation id in a later call');
$r = api([['Mailbox/set', { accountId => $acct, create => { k2 =>
	{ name => 'Two', parentId => '#old' } } }, 'a']], createdIds =>
	{ old => $id });
my $two = $r->{methodResponses}[0][1]{created}{k2}{id};
is_deeply($r->{createdIds}, { old => $id, k2 => $two },
    'createdIds in and out');
is($t->call('Mailbox/get', { ids => [$two] })->{list}[0]{parentId}, $id,
    'an id from another request');

# ---- limits, states
$r = $t->call('Mailbox/set', { create => { map { $_ => { name => $_ } }
	qw(a b) }, destroy => ['x', 'y'] });
is($r->{error}, 'requestTooLarge', 'maxObjectsInSet counts all together');
is($t->call('Mailbox/set', { ifInState => '1', create =>
	{ a => { name => 'a' } } })->{error}, 'stateMismatch', 'ifInState');
for my $state ('x', '-1', '99999999999999', '', '9' x 23) {
	is($t->call("$_/changes", { sinceState => $state })->{error},
	    'cannotCalculateChanges', "$_/changes since '$state'")
	    for qw(Mailbox Email Thread);
}
is($t->call('Mailbox/changes', { sinceState => 1 })->{error},
    'invalidArguments', 'a state is a string');
is($t->call('Mailbox/changes', {})->{error}, 'invalidArguments',
    'sinceState is needed');
is($t->call('Mailbox/changes', { sinceState => '1', maxChanges => 0 })->{error},
    'invalidArguments', 'maxChanges 0');

# ---- what all responses together may take
my $small = CulverJmap->new(users => { alice => 'secret' },
	conf => "jmap-max-memory = 2M\n");
for (1 .. 3) {	# what one took is given back
	my @r = $small->calls(['Core/echo', { a => 'x' x 1_500_000 }],
	    ['Core/echo', { a => 'x' x 1_500_000 }], ['Core/echo', { a => 1 }]);
	is_deeply([map { $_->[1]{type} // $_->[0] } @r], ['Core/echo',
	    'serverUnavailable', 'Core/echo'], 'jmap-max-memory');
}
# What is changed can't be answered as if it were not: RFC 8620 3.6.2.
my @r = $small->calls(['Core/echo', { a => 'x' x 1_090_000 }],
    ['Mailbox/set', { create => { map { ("k$_" => { name => "new$_" }) }
	1 .. 1500 } }], ['Mailbox/get', {}]);
is($r[1][1]{type}, 'serverUnavailable', 'a /set that has no room for its answer');
is(scalar(@{ $r[2][1]{list} }), 1, 'changes nothing');
done_testing();
