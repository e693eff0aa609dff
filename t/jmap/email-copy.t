# t/jmap/email-copy.t - Email/copy (RFC 8621 4.7), and what else changes other
# users' accounts: each by the rights on the mailbox (RFC 4314)
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'b' },
	conf => "jmap-max-objects-in-set = 10\n");
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $imap = $t->start('imapd', 'imap');

sub as {
	my ($user, $pass) = @_;
	@$t{qw(user pass)} = ($user, $pass);
	delete $t->{session};
}
my $acl = $t->connect($imap);
$acl->imap_line;
$acl->imap('LOGIN bob b');
sub acl {
	my ($ok) = $acl->imap("SETACL @_");
	like($ok, qr/ OK/, "SETACL @_");
}

as('bob', 'b');
my $bob = $t->account;
my $r = $t->call('Mailbox/set', { create => { map { $_ => { name => $_ } }
	qw(open in full hidden) } });
my %box = map { $_ => $r->{created}{$_}{id} } keys %{ $r->{created} };
sub put {
	my ($text, @in) = @_;
	return $t->import_mail("Subject: $text\r\n\r\nbody $text\r\n", mailboxIds =>
	    { map { $_ => $T } @in }, keywords => { '$seen' => $T, 'bobs' => $T },
	    receivedAt => '2024-01-02T03:04:05Z');
}
my $one = put('one', $box{open});
my $hid = put('hid', $box{hidden});
acl('open alice lr');
acl('in alice lri');
acl('full alice lrswikxte');
as('alice', 'secret');
my $alice = $t->account;
my $inbox = $t->mailbox('inbox');
is($t->session->{accounts}{$bob}{isReadOnly}, $F, 'not read-only');
sub mails {
	my ($acct, $ids, @more) = @_;
	return $t->call('Email/get', { accountId => $acct, ids => $ids, @more });
}
sub copy {
	my ($from, $to, $objects, @more) = @_;
	return $t->call('Email/copy', { fromAccountId => $from, accountId => $to,
		create => $objects, @more });
}

# ---- from bob's to her own
my $state = mails($alice, [])->{state};
my $from = mails($bob, [])->{state};
$r = copy($bob, $alice, { k => { id => $one, mailboxIds => { $inbox => $T } },
	n => { id => $hid, mailboxIds => { $inbox => $T } },
	x => { id => 'Exx', mailboxIds => { $inbox => $T } } },
    ifFromInState => $from, ifInState => $state);
is_deeply([@$r{qw(fromAccountId accountId oldState)}], [$bob, $alice, $state],
    'the response');
my $k = $r->{created}{k};
is_deeply([sort keys %$k], [qw(blobId id size threadId)], 'created');
is($r->{notCreated}{$_}{type}, 'notFound', 'notFound') for 'n', 'x';
is($r->{newState}, mails($alice, [])->{state}, 'newState');
my $m = mails($alice, [$k->{id}], fetchAllBodyValues => $T)->{list}[0];
is_deeply([@$m{qw(subject keywords mailboxIds receivedAt)}], ['one',
	{ '$seen' => $T, bobs => $T }, { $inbox => $T }, '2024-01-02T03:04:05Z'],
    'all is as it was');
is($m->{blobId}, mails($bob, [$one])->{list}[0]{blobId}, 'the octets, too');
$r = copy($bob, $alice, { k => { id => $one, mailboxIds => { $inbox => $T },
	keywords => { mine => $T }, receivedAt => '2025-01-01T00:00:00Z' } });
$m = mails($alice, [$r->{created}{k}{id}])->{list}[0];
is_deeply([@$m{qw(keywords receivedAt)}], [{ mine => $T },
	'2025-01-01T00:00:00Z'], 'with other properties');
my ($c, $g) = $t->calls(['Email/copy', { fromAccountId => $bob, accountId =>
	$alice, create => { new => { id => $one, mailboxIds => { $inbox => $T } } } }],
    ['Email/get', { accountId => $alice, ids => ['#new'], properties => ['subject'] }]);
is($g->[1]{list}[0]{subject}, 'one', 'its creation id');
for ([{ id => $one }, 'mailboxIds'], [{ mailboxIds => { $inbox => $T } }, 'id'],
    [{ id => 5, mailboxIds => { $inbox => $T } }, 'id'],
    [{ id => $one, mailboxIds => {} }, 'mailboxIds'],
    [{ id => $one, mailboxIds => { Mfff => $T } }, 'mailboxIds'],
    [{ id => $one, mailboxIds => { $inbox => $T }, subject => 'x' }, 'subject'],
    [{ id => $one, mailboxIds => { $inbox => $T }, keywords => 'x' }, 'keywords'],
    [{ id => $one, mailboxIds => { $inbox => $T }, receivedAt => 'x' },
	'receivedAt']) {
	my $e = copy($bob, $alice, { k => $_->[0] })->{notCreated}{k};
	is($e->{type}, 'invalidProperties', 'invalidProperties');
	is_deeply($e->{properties}, [$_->[1]], $_->[1]);
}
my %ok = (k => { id => $one, mailboxIds => { $inbox => $T } });
is(copy($alice, $alice, \%ok)->{error}, 'invalidArguments', 'the same account');
is(copy('Ax', $alice, \%ok)->{error}, 'fromAccountNotFound', 'from nowhere');
is(copy($bob, 'Ax', \%ok)->{error}, 'accountNotFound', 'to nowhere');
is(copy($bob, $alice, \%ok, $_ => '1')->{error}, 'stateMismatch', $_)
    for 'ifInState', 'ifFromInState';
is(copy($bob, $alice, { k => 5 })->{error}, 'invalidArguments', 'no object');
is(copy($bob, $alice, { map { $_ => $ok{k} } 1 .. 11 })->{error},
    'requestTooLarge', 'too many');
is($t->call('Email/copy', { fromAccountId => $bob, accountId => $alice })->{error},
    'invalidArguments', 'nothing');

# ---- to bob's
my $own = $t->import_mail("Subject: own\r\n\r\nown\r\n", keywords => {
	'$seen' => $T, '$flagged' => $T, 'hers' => $T });
sub to { copy($alice, $bob, { k => { id => $own, mailboxIds =>
	{ map { $box{$_} => $T } @_ } } }) }
is(to('open')->{notCreated}{k}{type}, 'forbidden', 'not without right i');
is(to('in', 'open')->{notCreated}{k}{type}, 'forbidden', 'on all of them');
is(to('hidden')->{notCreated}{k}{type}, 'invalidProperties', 'not seen at all');
$r = to('in');
my $in = $r->{created}{k}{id};
is_deeply(mails($bob, [$in])->{list}[0]{keywords}, {},
    'with i alone keywords are left out');
$r = to('full');
my $full = $r->{created}{k}{id};
is_deeply(mails($bob, [$full])->{list}[0]{keywords}, { '$seen' => $T,
	'$flagged' => $T, hers => $T }, 'else they are kept');
is(copy($alice, $bob, { k => { id => $own, mailboxIds => { $box{in} => $T },
	keywords => { '$seen' => $T } } })->{notCreated}{k}{type}, 'forbidden',
    'keywords that may not be set');

# ---- moving
my @r = $t->calls(['Email/copy', { fromAccountId => $bob, accountId => $alice,
	create => { k => { id => $full, mailboxIds => { $inbox => $T } },
		l => { id => $one, mailboxIds => { $inbox => $T } } },
	onSuccessDestroyOriginal => $T }, 'm'], ['Core/echo', {}, 'e']);
is_deeply([map { $_->[0] . $_->[2] } @r], ['Email/copym', 'Email/setm', 'Core/echoe'],
    'Email/set follows');
is($r[1][1]{accountId}, $bob, 'on the other account');
is_deeply($r[1][1]{destroyed}, [$full], 'the original is gone');
is($r[1][1]{notDestroyed}{$one}{type}, 'forbidden', 'unless that is forbidden');
@r = $t->calls(['Email/copy', { fromAccountId => $bob, accountId => $alice,
	create => { k => { id => $in, mailboxIds => { $inbox => $T } } },
	onSuccessDestroyOriginal => $T, destroyFromIfInState => '1' }]);
is_deeply([$r[1][0], $r[1][1]{type}], ['error', 'stateMismatch'],
    'destroyFromIfInState');
@r = $t->calls(['Email/copy', { fromAccountId => $bob, accountId => $alice,
	create => { k => { id => 'Exx', mailboxIds => { $inbox => $T } } },
	onSuccessDestroyOriginal => $T }]);
is(scalar @r, 1, 'nothing was copied');

# ---- Email/set in bob's
$t->{acct} = $bob;
my %mb = map { $_->{name} => $_ } @{ $t->call('Mailbox/get', { ids => undef })->{list} };
my @may = qw(mayReadItems mayAddItems mayRemoveItems maySetSeen maySetKeywords
    mayCreateChild mayRename mayDelete maySubmit);
is_deeply([@{ $mb{full}{myRights} }{@may}], [($T) x 8, $F], 'myRights');
is_deeply([@{ $mb{in}{myRights} }{@may}], [$T, $T, ($F) x 7], 'others');
sub set {
	my ($id, $patch) = @_;
	my $r = $t->call('Email/set', { update => { $id => $patch } });
	return $r->{error} // ($r->{updated} ? 'ok' : $r->{notUpdated}{$id}{type});
}
my $x = $t->call('Email/set', { create => { k => { mailboxIds => { $box{full} => $T },
	subject => 'made', keywords => { '$draft' => $T } } } })->{created}{k}{id};
ok($x, 'create');
is($t->call('Email/set', { create => { k => { mailboxIds => { $box{open} => $T } } } })
    ->{notCreated}{k}{type}, 'forbidden', 'not there');
is(set($x, { 'keywords/$seen' => $T, 'keywords/new' => $T }), 'ok', 'keywords');
is(set($in, { 'keywords/$seen' => $T }), 'forbidden', '$seen needs s');
is(set($in, { keywords => { '$flagged' => $T } }), 'forbidden', 'others need w');
is(set($in, { keywords => {} }), 'ok', 'what is no change needs nothing');
is(set($x, { "mailboxIds/$box{in}" => $T }), 'ok', 'another mailbox');
is(set($x, { 'keywords/$flagged' => $T }), 'forbidden', 'by all its mailboxes');
is(set($x, { "mailboxIds/$box{in}" => undef }), 'forbidden', 'not out of it');
is(set($x, { "mailboxIds/$box{open}" => $T }), 'forbidden', 'not into it');
is(set($x, { "mailboxIds/$box{hidden}" => $T }), 'invalidProperties', 'not seen');
is(set($hid, { 'keywords/$seen' => $T }), 'notFound', 'nor what is in it');
is(set($x, { "mailboxIds/$box{full}" => undef }), 'ok', 'out of what one may');
is_deeply([keys %{ mails($bob, [$x])->{list}[0]{mailboxIds} }], [$box{in}], 'done');
$r = $t->call('Email/set', { destroy => [$x, $hid] });
is($r->{notDestroyed}{$x}{type}, 'forbidden', 'destroy needs t and e');
is($r->{notDestroyed}{$hid}{type}, 'notFound', 'and to see it');
acl('in alice lrswite');
is_deeply($t->call('Email/set', { destroy => [$x] })->{destroyed}, [$x], 'destroyed');
# What is hidden stays.
{
	local $t->{acct} = undef;
	as('bob', 'b');
	$x = put('both', @box{qw(full hidden)});
	as('alice', 'secret');
	$t->session;
}
is(set($x, { 'keywords/$flagged' => $T }), 'forbidden',
    'also by mailboxes that are hidden');
is(set($x, { mailboxIds => { $box{in} => $T } }), 'ok', 'all that is seen');
is($t->call('Email/set', { destroy => [$x] })->{notDestroyed}{$x}{type},
    'forbidden', 'nor destroyed');
{
	local $t->{acct} = undef;
	as('bob', 'b');
	is_deeply([sort keys %{ mails($bob, [$x])->{list}[0]{mailboxIds} }],
	    [sort @box{qw(in hidden)}], 'and is still where it was hidden');
	as('alice', 'secret');
	$t->session;
}
is($t->call('Email/import', { emails => { k => { blobId => mails($bob, [$one])
	->{list}[0]{blobId}, mailboxIds => { $box{open} => $T } } } })
    ->{notCreated}{k}{type}, 'forbidden', 'Email/import');
ok($t->call('Email/import', { emails => { k => { blobId => mails($bob, [$one])
	->{list}[0]{blobId}, mailboxIds => { $box{full} => $T } } } })
    ->{created}{k}{id}, 'where it may');

# ---- Mailbox/set in bob's
sub mset {
	my ($id, $patch) = @_;
	my $r = $t->call('Mailbox/set', { update => { $id => $patch } });
	return $r->{updated} ? 'ok' : $r->{notUpdated}{$id}{type};
}
sub mnew {
	my $r = $t->call('Mailbox/set', { create => { k => { @_ } } });
	return $r->{created}{k}{id} // $r->{notCreated}{k}{type};
}
my $child = mnew(name => 'child', parentId => $box{full});
like($child, qr/\AM/, 'below it');
is_deeply([@{ $t->call('Mailbox/get', { ids => [$child] })->{list}[0]{myRights}
	}{@may}], [($T) x 8, $F], 'with its rights');
is(mnew(name => 'top'), 'forbidden', 'not at the top');
is(mnew(name => 'x', parentId => $box{open}), 'forbidden', 'not without k');
is(mnew(name => 'x', parentId => $box{hidden}), 'invalidProperties', 'not seen');
is(mset($child, { name => 'kid' }), 'ok', 'another name');
is(mset($box{open}, { name => 'x' }), 'forbidden', 'not without x');
is(mset($box{hidden}, { name => 'x' }), 'notFound', 'not seen');
is(mset($child, { parentId => $box{open} }), 'forbidden', 'not below that');
is(mset($child, { parentId => undef }), 'forbidden', 'nor at the top');
is(mset($child, { $_->[0] => $_->[1] }), 'forbidden', "$_->[0]: the owner's")
    for [role => 'archive'], [sortOrder => 5], [isSubscribed => $T];
$r = $t->call('Mailbox/set', { destroy => [$child, $box{open}, $box{hidden}],
	onDestroyRemoveEmails => $T });
is_deeply($r->{destroyed}, [$child], 'destroyed');
is($r->{notDestroyed}{ $box{open} }{type}, 'forbidden', 'not without x');
is($r->{notDestroyed}{ $box{hidden} }{type}, 'notFound', 'not seen');
acl('full alice lrx');
is($t->call('Mailbox/set', { destroy => [$box{full}], onDestroyRemoveEmails => $T })
    ->{notDestroyed}{ $box{full} }{type}, 'forbidden', 'with mail: not without t, e');

# ---- nothing but reading
acl('full alice lr');
acl('in alice lr');
delete $t->{session};
is($t->call('Email/set', { destroy => [] })->{error}, 'accountReadOnly',
    'accountReadOnly');

my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
