# t/jmap/mailbox.t - Mailbox/get, /set, /changes (RFC 8621 2)
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => qq(folder "Sent" { role = "sent" }\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my ($inbox, $sent) = map { $t->mailbox($_) } qw(inbox sent);

sub set { $t->call('Mailbox/set', { @_ }) }
sub get {
	my ($id, @props) = @_;
	return $t->call('Mailbox/get', { ids => [$id], @props ?
		(properties => \@props) : () })->{list}[0];
}
sub create {
	my ($obj) = @_;
	my $r = set(create => { x => $obj });
	return $r->{created}{x} || $r->{notCreated}{x};
}
sub update {
	my ($id, $patch) = @_;
	my $r = set(update => { $id => $patch });
	return exists(($r->{updated} || {})->{$id}) ? 'ok' : $r->{notUpdated}{$id};
}

# ---- get
my $r = $t->call('Mailbox/get', {});
is(@{ $r->{list} }, 2, 'a new account has its mailboxes');
my $m = get($inbox);
is($m->{role}, 'inbox', 'the inbox');
is_deeply([sort keys %$m], [sort qw(id name parentId role sortOrder
	totalEmails unreadEmails totalThreads unreadThreads myRights
	isSubscribed)], 'all properties by default');
is_deeply($m->{myRights}, { (map { $_ => $T } qw(mayReadItems mayAddItems
	mayRemoveItems maySetSeen maySetKeywords mayCreateChild maySubmit)),
	mayRename => $F, mayDelete => $F }, 'rights to the inbox');
is_deeply(get($inbox, 'name'), { id => $inbox, name => $m->{name} },
    'id and what was asked for');

# ---- create
my $state = $r->{state};
my $a = create({ name => 'Arbeit', sortOrder => 7 });
like($a->{id}, qr/\AM/, 'created');
is_deeply([sort keys %$a], [sort qw(id parentId role totalEmails unreadEmails
	totalThreads unreadThreads myRights isSubscribed)],
    'what the client did not give comes back');
ok($a->{isSubscribed}, 'subscribed');
is_deeply(get($a->{id}, qw(name sortOrder parentId)), { id => $a->{id},
	name => 'Arbeit', sortOrder => 7, parentId => undef }, 'as given');
my @bad = (
	[{}, 'invalidProperties', 'name'],
	[{ name => '' }, 'invalidProperties', 'name'],
	[{ name => 5 }, 'invalidProperties', 'name'],
	[{ name => 'a/b' }, 'invalidProperties', 'name'],
	[{ name => "a\nb" }, 'invalidProperties', 'name'],
	[{ name => 'x' x 256 }, 'invalidProperties', 'name'],
	[{ name => 'n', parentId => 'M999' }, 'invalidProperties', 'parentId'],
	[{ name => 'n', parentId => 5 }, 'invalidProperties', 'parentId'],
	[{ name => 'n', parentId => '#no' }, 'invalidProperties', 'parentId'],
	[{ name => 'n', role => 'nothing' }, 'invalidProperties', 'role'],
	[{ name => 'n', role => 'inbox' }, 'invalidProperties', 'role'],
	[{ name => 'n', sortOrder => -1 }, 'invalidProperties', 'sortOrder'],
	[{ name => 'n', sortOrder => 2147483648 }, 'invalidProperties',
		'sortOrder'],
	[{ name => 'n', isSubscribed => 'x' }, 'invalidProperties',
		'isSubscribed'],
	[{ name => 'n', id => 'M1' }, 'invalidProperties', 'id'],
	[{ name => 'n', totalEmails => 0 }, 'invalidProperties', 'totalEmails'],
	[{ name => 'n', foo => 1 }, 'invalidProperties', 'foo'],
);
for (@bad) {
	my $e = create($_->[0]);
	is($e->{type}, $_->[1], "refused: $_->[2]");
	is_deeply($e->{properties}, [$_->[2]], 'properties');
}
my $e = create({ name => 'Arbeit' });
is($e->{type}, 'alreadyExists', 'a sibling has the name');
is($e->{existingId}, $a->{id}, 'existingId');
$e = create({ name => 'n', role => 'sent' });
is($e->{type}, 'alreadyExists', 'the role is taken');
is($e->{existingId}, $sent, 'existingId');
my $nfc = create({ name => "Caf\x{e9}" });
is(create({ name => "Cafe\x{301}" })->{type}, 'alreadyExists',
    'the same name in another normal form');
my $arch = create({ name => 'Old', role => 'archive' });
ok($arch->{id}, 'a free role');

# Parents and children of one call, in any order.
$r = set(create => { c => { name => 'C', parentId => '#b' },
	b => { name => 'B', parentId => '#a' }, a => { name => 'A' },
	l1 => { name => 'l1', parentId => '#l2' },
	l2 => { name => 'l2', parentId => '#l1' } });
is_deeply([sort keys %{ $r->{created} }], [qw(a b c)], 'a chain');
is_deeply([sort keys %{ $r->{notCreated} }], [qw(l1 l2)], 'a loop');
my ($ia, $ib, $ic) = map { $r->{created}{$_}{id} } qw(a b c);
is(get($ic, 'parentId')->{parentId}, $ib, 'below its parent');

# ---- update
my $s;
is(update($ic, { name => 'C2', sortOrder => 3 }), 'ok', 'update');
is_deeply(get($ic, qw(name sortOrder)), { id => $ic, name => 'C2',
	sortOrder => 3 }, 'is seen');
is(update($ic, { parentId => undef }), 'ok', 'to the top');
is(update($ic, { parentId => $ib }), 'ok', 'and back');
is(update($ic, get($ic)), 'ok', 'a whole object as it is');
is(update($ic, { isSubscribed => $F }), 'ok', 'unsubscribe');
ok(!get($ic)->{isSubscribed}, 'unsubscribed');
is(update($arch->{id}, { role => undef }), 'ok', 'role off');
is(get($arch->{id})->{role}, undef, 'no role');
is(update($ic, { role => 'archive' }), 'ok', 'role on');
is(update('M999', { name => 'x' })->{type}, 'notFound', 'no such mailbox');
for ([{ id => 'M999' }, 'invalidProperties'], [{ foo => 1 },
	'invalidProperties'], [{ totalEmails => 5 }, 'invalidProperties'],
    [{ name => undef }, 'invalidProperties'],
    [{ 'myRights/mayRename' => $F }, 'invalidProperties'],
    [{ 'name/x' => 'y' }, 'invalidPatch'], [{ 'name~2' => 'y' },
	'invalidPatch'], [{ myRights => {}, 'myRights/mayRename' => $T },
	'invalidPatch'], [{ 'myRights/x/y' => $T }, 'invalidPatch'],
    [{ name => 'Sent', parentId => undef }, 'alreadyExists']) {
	is(update($ic, $_->[0])->{type}, $_->[1],
	    $CulverJmap::json->encode($_->[0]));
}
is(update($ia, { parentId => $ic })->{type}, 'invalidProperties',
    'below itself');
is(update($inbox, $_)->{type}, 'forbidden', 'the inbox stays') for
    { name => 'x' }, { parentId => $ia }, { role => undef };
is(update($inbox, { sortOrder => 1 }), 'ok', 'but sorts as wished');
is(get($ic)->{name}, 'C2', 'nothing of a refused update is done');
# Names that free each other.
$r = set(update => { $ia => { name => 'Z' }, $ib => { parentId => undef,
	name => 'A' } });
is_deeply($r->{updated}, { $ia => undef, $ib => undef },
    'a name that another update frees');
# RFC 8620 5.3: "rename an object A => B and simultaneously rename another object
# B => A"; the same for roles, in rings of any length.
$r = set(create => { map { ($_ => { name => "ring$_" }) } 1 .. 5 });
my @ring = map { $r->{created}{$_}{id} } 1 .. 5;
$s = $t->call('Mailbox/get', { ids => [] })->{state};
$r = set(update => { $ring[0] => { name => 'ring2' }, $ring[1] =>
	{ name => 'ring1' }, $ring[2] => { name => 'ring4', sortOrder => 9 },
	$ring[3] => { name => 'ring5' }, $ring[4] => { name => 'ring3' } });
is_deeply($r->{updated}, { map { $_ => undef } @ring }, 'names swapped') or
    diag explain $r;
is_deeply([map { get($_)->{name} } @ring], [qw(ring2 ring1 ring4 ring5 ring3)],
    'each has its own');
is(get($ring[2])->{sortOrder}, 9, 'and what else was asked for');
$r = $t->call('Mailbox/changes', { sinceState => $s });
is_deeply([sort @{ $r->{updated} }], [sort @ring], 'as changes say');
set(update => { $ring[0] => { role => 'junk' }, $ring[1] =>
	{ role => 'drafts' } });
$r = set(update => { $ring[0] => { role => 'drafts' }, $ring[1] =>
	{ role => 'junk' } });
is_deeply($r->{updated}, { $ring[0] => undef, $ring[1] => undef },
    'roles swapped');
is_deeply([map { get($_)->{role} } @ring[0, 1]], ['drafts', 'junk'], 'so');
$r = set(update => { $ring[0] => { name => 'ring1', parentId => 'M999' },
	$ring[1] => { name => 'ring2' }, $ring[2] => { name => 'ring5' },
	$ring[3] => { name => 'ring4', role => 'sent' } });
is_deeply([map { $_ // 'none' } $r->{updated}, map { $r->{notUpdated}{$_}{type} }
	@ring[0 .. 3]], ['none', 'invalidProperties', 'alreadyExists',
	'alreadyExists', 'alreadyExists'], 'unless one of them may not be') or
    diag explain $r;
set(destroy => \@ring);

# RFC 8620 5.3: or that they exchange, in one call.
my %x = map { $_ => create({ name => "x$_" })->{id} } 1 .. 4;
is(update($x{1}, { role => 'junk' }), 'ok', 'a role');
$r = set(update => { $x{1} => { name => 'x2', role => undef },
	$x{2} => { name => 'x1', role => 'junk' }, $x{3} => { name => 'Sent' },
	$x{4} => { name => 'x4' } });
is_deeply($r->{updated}, { map { $_ => undef } @x{1, 2, 4} }, 'exchanged')
    or diag explain $r;
is($r->{notUpdated}{$x{3}}{type}, 'alreadyExists', 'but for what is taken');
is_deeply([map { @{ get($x{$_}) }{qw(name role)} } 1, 2],
    ['x2', undef, 'x1', 'junk'], 'names and a role');
$r = set(update => { $x{1} => { name => 'x1' }, $x{2} => { name => 'x3' },
	$x{3} => { name => 'x2', parentId => $x{4} } });
is_deeply($r->{updated}, { map { $_ => undef } @x{1, 2, 3} }, 'in a ring');
is_deeply([map { get($x{$_})->{name} } 1, 2, 3], [qw(x1 x3 x2)], 'names');
$r = set(update => { $x{1} => { parentId => $x{2} },
	$x{2} => { parentId => $x{1} } });
is(scalar keys %{ $r->{updated} }, 1, 'no loop');
$r = set(update => { $x{1} => { parentId => $x{4}, name => 'x2' },
	$x{3} => { parentId => undef, name => 'x1' },
	$x{2} => { parentId => undef, name => 'x3' } }) for 1, 2;
is(($t->culver('check', 'alice'))[0], 0, 'sound');
is(set(destroy => [@x{1 .. 3}, $x{4}])->{notDestroyed}, undef, 'gone');

# ---- destroy
my $mail = "Subject: x\r\n\r\nx\r\n";
my $email = $t->import_mail($mail, mailboxIds => { $ia => $T });
my $two = $t->import_mail($mail, mailboxIds => { $ia => $T, $sent => $T });
is(get($ia)->{totalEmails}, 2, 'mail in it');
$r = set(destroy => [$ib, $ia, $inbox, 'M999']);
is_deeply({ map { $_ => $r->{notDestroyed}{$_}{type} }
	keys %{ $r->{notDestroyed} } }, { $ib => 'mailboxHasChild',
	$ia => 'mailboxHasEmail', $inbox => 'forbidden', M999 => 'notFound' },
    'not destroyed');
is($r->{destroyed}, undef, 'destroyed is null');
$r = set(destroy => [$ib, $ic], onDestroyRemoveEmails => $F);
is_deeply([sort @{ $r->{destroyed} }], [sort $ib, $ic],
    'the parent too when the child goes');
$r = set(destroy => [$ia], onDestroyRemoveEmails => $T);
is_deeply($r->{destroyed}, [$ia], 'with its mail');
is_deeply($t->call('Email/get', { ids => [$email, $two],
	properties => ['mailboxIds'] })->{list}, [{ id => $two,
	mailboxIds => { $sent => $T } }],
    'mail that is also elsewhere stays there');
my $p = create({ name => 'P' })->{id};
my $k = create({ name => 'K', parentId => $p })->{id};
my $kept = $t->import_mail($mail, mailboxIds => { $p => $T });
is(set(destroy => [$p], onDestroyRemoveEmails => $T)
	->{notDestroyed}{$p}{type}, 'mailboxHasChild', 'a child saves it');
is(@{ $t->call('Email/get', { ids => [$kept], properties => [] })->{list} },
    1, 'and its mail');
# A name that a destroy of the same call frees.
$r = set(create => { n => { name => 'K', parentId => $p } },
	destroy => [$k, $k]);
ok($r->{created}{n}, 'a name that a destroy frees');
is_deeply($r->{destroyed}, [$k], 'destroyed once');
is($r->{notDestroyed}, undef, 'and never also not destroyed');

# ---- changes
$r = $t->call('Mailbox/changes', { sinceState => $state });
my %is = map { my $k = $_; map { $_ => $k } @{ $r->{$k} } }
    qw(created updated destroyed);
is($is{$p}, 'created', 'created since');
ok(!exists $is{$ia}, 'created and destroyed: not mentioned');
is($is{$inbox}, 'updated', 'updated since');
is($r->{updatedProperties}, undef, 'not only counts');
ok(!$r->{hasMoreChanges}, 'that is all');
is($r->{newState}, $t->call('Mailbox/get', { ids => [] })->{state},
    'newState is the state');
$s = $state;
my %got;
for (1 .. 50) {
	my $c = $t->call('Mailbox/changes', { sinceState => $s,
		maxChanges => 1 });
	my @ids = map { @{ $c->{$_} } } qw(created updated destroyed);
	cmp_ok(scalar(@ids), '<=', 1, 'at most maxChanges');
	# What came and went may be mentioned as destroyed on the way.
	$got{$_}++ for map { @{ $c->{$_} } } qw(created updated);
	$s = $c->{newState};
	last unless $c->{hasMoreChanges};
}
is($s, $r->{newState}, 'step by step to the same state');
is_deeply([sort keys %got], [sort grep { $is{$_} ne 'destroyed' } keys %is],
    'the same ids');
$s = $r->{newState};
my $new = $t->import_mail($mail, mailboxIds => { $sent => $T });
$r = $t->call('Mailbox/changes', { sinceState => $s });
is_deeply($r->{updated}, [$sent], 'new mail updates its mailbox');
is_deeply([sort @{ $r->{updatedProperties} }], [sort qw(totalEmails
	unreadEmails totalThreads unreadThreads)], 'its counts alone');
my (undef, $via) = $t->calls(['Mailbox/changes', { sinceState => $s }, '0'],
	['Mailbox/get', { '#ids' => { resultOf => '0',
		name => 'Mailbox/changes', path => '/updated' },
		'#properties' => { resultOf => '0', name => 'Mailbox/changes',
		path => '/updatedProperties' } }, '1']);
is_deeply([sort keys %{ $via->[1]{list}[0] }], [sort qw(id totalEmails
	unreadEmails totalThreads unreadThreads)], 'RFC 8621 2.6, by reference');
$s = $r->{newState};
$t->call('Email/set', { update => { $new => { 'keywords/$flagged' => $T } } });
is($t->call('Mailbox/get', { ids => [] })->{state}, $s,
    'a flag that does not count does not change the state');
$t->call('Email/set', { update => { $new => { 'keywords/$seen' => $T } } });
isnt($t->call('Mailbox/get', { ids => [] })->{state}, $s, '$seen does');
is(set(ifInState => $s, create => { y => { name => 'y' } })->{error},
    'stateMismatch', 'ifInState of the past');

# ---- IMAP has other accounts there: such a mailbox could not be opened
$r = $t->call('Mailbox/set', { create => { a => { name => 'Other Users' },
	b => { name => 'x-parent' }, c => { name => 'Other Users',
	parentId => '#b' } } });
is_deeply($r->{notCreated}{a}{properties}, ['name'], 'Other Users: not at the top');
is_deeply([sort keys %{ $r->{created} }], ['b', 'c'], 'but below');
is($t->call('Mailbox/set', { update => { $r->{created}{$_->[0]}{id} => $_->[1] } })
    ->{notUpdated}{ $r->{created}{$_->[0]}{id} }{type}, 'invalidProperties',
    'nor by an update') for ['b', { name => 'Other Users' }],
    ['c', { parentId => undef }];
done_testing();
