# t/jmap/shared.t - other users' accounts, by ACL (RFC 8620 1.6.2, RFC 4314)
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'b', eve => 'e' },
	using => ['quota', 'blob']);
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $imap = $t->start('imapd', 'imap');

sub as {
	my ($user, $pass) = @_;
	@$t{qw(user pass)} = ($user, $pass);
	delete $t->{session};
}
my $acl;
sub acl {
	my (@words) = @_;
	my ($ok) = $acl->imap(join ' ', @words);
	like($ok, qr/ OK/, "@words");
}
sub sess {
	delete $t->{session};
	return $t->session->{accounts};
}

# ---- what bob has
as('bob', 'b');
my $bob = $t->account;
my %box;
my $r = $t->call('Mailbox/set', { create => { map { $_ => { name => $_ } }
	qw(open hidden look) } });
$box{$_} = $r->{created}{$_}{id} for qw(open hidden look);
$r = $t->call('Mailbox/set', { create => { k => { name => 'below',
	parentId => $box{hidden} } } });
$box{below} = $r->{created}{k}{id};
$box{inbox} = $t->mailbox('inbox');
sub put {
	my ($text, @in) = @_;
	return $t->import_mail("Subject: $text\r\nMessage-ID: <$text\@x>\r\n"
	    . "References: <t\@x>\r\n\r\nbody $text\r\n",
	    mailboxIds => { map { $box{$_} => $T } @in }, keywords => {
		'$flagged' => $T });
}
my %mail = (one => put('one', 'open'), two => put('two', 'open', 'hidden'),
	three => put('three', 'hidden'), four => put('four', 'below'),
	five => put('five', 'look'));
my %name = reverse(%mail);
my %of = map { $name{ $_->{id} } => $_ } @{ $t->call('Email/get', {
	ids => [values %mail], properties => ['blobId', 'threadId'] })->{list} };
is(scalar keys %{ $t->session->{accounts} }, 1, 'bob sees his own account');

$acl = $t->connect($imap);
$acl->imap_line;
acl('LOGIN bob b');
as('alice', 'secret');
my $alice = $t->account;
my $sess = $t->request('GET', '/.well-known/jmap')->{json}{state};
is(scalar keys %{ sess() }, 1, 'nothing is shared yet');
is($t->call('Mailbox/get', { accountId => $bob })->{error}, 'accountNotFound',
    'nor found');
acl('SETACL open alice lr');
acl('SETACL hidden/below anyone lr');
acl('SETACL look alice l');

# ---- the session
my $a = sess();
is_deeply([sort keys %$a], [sort $alice, $bob], 'two accounts');
is_deeply([@{ $a->{$bob} }{qw(name isPersonal isReadOnly)}], ['bob', $F, $T],
    "bob's");
is_deeply([@{ $a->{$alice} }{qw(name isPersonal isReadOnly)}],
    ['alice', $T, $F], 'her own');
my $caps = $a->{$bob}{accountCapabilities};
is_deeply([map { s/.*://r } sort keys %$caps], ['blob', 'core', 'mail'],
    'accountCapabilities');
is($caps->{'urn:ietf:params:jmap:mail'}{mayCreateTopLevelMailbox}, $F,
    'mayCreateTopLevelMailbox');
isnt($t->session->{state}, $sess, 'another state');
is($t->post('{"using":[],"methodCalls":[]}')->{json}{sessionState},
    $t->session->{state}, 'sessionState');
is_deeply([values %{ $t->session->{primaryAccounts} }], [($alice) x 3],
    'primaryAccounts stay');

# ---- Mailboxes
$t->{acct} = $bob;
$r = $t->call('Mailbox/get', { ids => undef });
is($r->{accountId}, $bob, 'accountId');
is_deeply([sort map { $_->{name} } @{ $r->{list} }], [qw(below look open)],
    'those that may be seen');
my %m = map { $_->{name} => $_ } @{ $r->{list} };
is($m{below}{parentId}, undef, 'what is above it may not');
my @no = map { ($_ => $F) } qw(mayAddItems mayRemoveItems maySetSeen
    maySetKeywords mayCreateChild mayRename mayDelete maySubmit);
is_deeply($m{open}{myRights}, { mayReadItems => $T, @no }, 'myRights');
is_deeply($m{look}{myRights}, { mayReadItems => $F, @no }, 'not to be read');
is($m{open}{totalEmails}, 2, 'totalEmails');
is($m{look}{totalEmails}, 0, 'not of one that may not be read');
is($m{open}{isSubscribed}, $F, 'isSubscribed');
{
	my $c = $t->connect($imap);
	$c->imap_line;
	$c->imap($_) for 'LOGIN alice secret', 'SUBSCRIBE "Other Users/bob/open"';
	$c->close;
}
is($t->call('Mailbox/get', { ids => [$box{open}] })->{list}[0]{isSubscribed}, $T,
    'by IMAP');
is_deeply($t->call('Mailbox/query', { filter => { isSubscribed => $T } })->{ids},
    [$box{open}], 'and so in a filter');
$r = $t->call('Mailbox/get', { ids => [@box{qw(open hidden inbox)}] });
is_deeply($r->{notFound}, [@box{qw(hidden inbox)}], 'notFound');
$r = $t->call('Mailbox/query', { sort => [{ property => 'name' }] });
is_deeply($r->{ids}, [@box{qw(below look open)}], 'Mailbox/query');
is($r->{canCalculateChanges}, $F, 'without changes');
is($t->call('Mailbox/queryChanges', { sinceQueryState => $r->{queryState} })
    ->{error}, 'cannotCalculateChanges', 'Mailbox/queryChanges');

# ---- Emails
$r = $t->call('Email/get', { ids => [map { $mail{$_} } qw(one two three four five)],
	properties => ['subject', 'mailboxIds', 'keywords', 'bodyValues'],
	fetchAllBodyValues => $T });
is_deeply({ map { $_->{subject} => [sort keys %{ $_->{mailboxIds} }] }
	@{ $r->{list} } }, { one => [$box{open}], two => [$box{open}],
	four => [$box{below}] }, 'Email/get');
is_deeply($r->{list}[0]{keywords}, { '$flagged' => $T }, 'keywords');
like($r->{list}[0]{bodyValues}{1}{value}, qr/body one/, 'the text');
is_deeply($r->{notFound}, [@mail{qw(three five)}], 'those that are not shown');
sub query {
	my ($filter, @more) = @_;
	my $r = $t->call('Email/query', { filter => $filter, @more });
	return $r->{error} // join ' ', sort map { $name{$_} } @{ $r->{ids} };
}
is(query(undef), 'four one two', 'Email/query');
is(query({ inMailbox => $box{open} }), 'one two', 'in one');
is(query({ inMailbox => $box{$_} }), '', "in $_") for qw(hidden look inbox);
is(query({ inMailboxOtherThan => [$box{open}] }), 'four', 'two is only there');
is(query({ operator => 'NOT', conditions => [{ inMailbox => $box{hidden} }] }),
    'four one two', 'not in one that is hidden');
is(query({ text => 'body' }), 'four one two', 'by text');
is(query({ noneInThreadHaveKeyword => 'new' }), 'four one two', 'by thread');
is($t->call('Email/query', {})->{canCalculateChanges}, $T, 'with changes');
$r = $t->call('Thread/get', { ids => [$of{one}{threadId}] });
is_deeply([sort @{ $r->{list}[0]{emailIds} || [] }],
    [sort grep { $of{ $name{$_} }{threadId} eq $of{one}{threadId} }
	@mail{qw(one two four)}], 'Thread/get');
is_deeply($t->call('Thread/get', { ids => [$of{five}{threadId}] })->{notFound},
    $of{five}{threadId} eq $of{one}{threadId} ? [] : [$of{five}{threadId}],
    'a thread without any');
$r = $t->call('SearchSnippet/get', { filter => { text => 'body' },
	emailIds => [@mail{qw(one three)}] });
is($r->{list}[0]{preview}, '<mark>body</mark> one ', 'SearchSnippet/get');
is_deeply($r->{notFound}, [$mail{three}], 'not of others');

# ---- blobs
sub down {
	my ($blob, $acct) = @_;
	return $t->request('GET', "/jmap/download/$acct/$blob/x?type=a/b");
}
like(down($of{one}{blobId}, $bob)->{content}, qr/body one/, 'download');
is(down($of{three}{blobId}, $bob)->{status}, 404, 'not of others');
is(down($of{one}{blobId}, $alice)->{status}, 404, 'nor in her own account');
is_deeply($t->call('Blob/get', { ids => [$of{one}{blobId}, $of{three}{blobId}] })
    ->{notFound}, [$of{three}{blobId}], 'Blob/get');
is_deeply($t->call('Email/parse', { blobIds => [$of{two}{blobId},
	$of{three}{blobId}] })->{notFound}, [$of{three}{blobId}], 'Email/parse');
is_deeply($t->call('Blob/lookup', { ids => [$of{two}{blobId}], typeNames =>
	['Mailbox'] })->{list}[0]{matchedIds}, { Mailbox => [$box{open}] },
    'Blob/lookup');
$r = $t->call('Blob/copy', { fromAccountId => $bob, accountId => $alice,
	blobIds => [$of{one}{blobId}, $of{three}{blobId}] });
is_deeply([keys %{ $r->{copied} }], [$of{one}{blobId}], 'Blob/copy');
is($r->{notCopied}{ $of{three}{blobId} }{type}, 'notFound', 'not of others');
is($t->request('POST', "/jmap/upload/$bob/", content => 'x')->{status}, 404,
    'no upload');

# ---- changes
my $es = $t->call('Email/get', { ids => [] })->{state};
my $ms = $t->call('Mailbox/get', { ids => [] })->{state};
my $ts = $t->call('Thread/get', { ids => [] })->{state};
as('bob', 'b');
my $six = put('six', 'open');
my $seven = put('seven', 'hidden');
$t->call('Email/set', { update => { $mail{one} => { "mailboxIds/$box{open}" =>
	undef, "mailboxIds/$box{hidden}" => $T } } });
as('alice', 'secret');
$r = $t->call('Email/changes', { sinceState => $es });
is_deeply($r->{created}, [$six], 'created, where it is seen');
is_deeply($r->{destroyed}, [$mail{one}], 'not seen any more');
$r = $t->call('Mailbox/changes', { sinceState => $ms });
is_deeply($r->{updated}, [$box{open}], 'Mailbox/changes');
$r = $t->call('Thread/changes', { sinceState => $ts });
ok(!$r->{error}, 'Thread/changes');
$es = $t->call('Email/get', { ids => [] })->{state};
acl('SETACL hidden alice lr');
is($t->call("$_/changes", { sinceState => $_ eq 'Email' ? $es : $ms })->{error},
    'cannotCalculateChanges', "$_/changes: other rights") for qw(Email Mailbox);
is_deeply($t->call('Email/get', { ids => [$mail{three}], properties =>
	['subject'] })->{list}[0]{subject}, 'three', 'what was hidden is seen');
acl('DELETEACL hidden alice');

# ---- what there is not (see email-copy.t for writing)
for ('Mailbox/set', 'Email/set') {
	is($t->call($_, { destroy => [] })->{error}, 'accountReadOnly', $_);
}
is($t->call('Email/import', { emails => {} })->{error}, 'accountReadOnly',
    'Email/import');
for ('Quota/get', 'Blob/upload') {
	is($t->call($_, { create => {} })->{error}, 'accountNotSupportedByMethod', $_);
}

# ---- and then nothing is shared any more
acl('DELETEACL open alice');
acl('DELETEACL look alice');
acl('DELETEACL hidden/below anyone');
is_deeply([keys %{ sess() }], [$alice], 'one account');
is($t->call('Email/get', { ids => [] })->{error}, 'accountNotFound', 'not found');
is(down($of{two}{blobId}, $bob)->{status}, 404, 'nothing to download');

my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
