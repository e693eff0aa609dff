# t/jmap/email.t - Email/import, /get, /query, /set, /changes, Thread (RFC 8621)
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => qq(folder "Work" { }\nfolder "Trash" { role = "trash" }\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my ($inbox, $work, $trash) = map { $t->mailbox($_) } qw(inbox Work trash);
my $n = 0;

sub mail {
	my (%h) = @_;
	my $body = delete $h{body} // "Text.\r\n";
	$n++;
	%h = ('Message-ID' => "<m$n\@test>", From => 'Ann <ann@test>',
		Subject => "Mail $n", %h);
	return join('', map { "$_: $h{$_}\r\n" } sort keys %h) . "\r\n$body";
}
sub get {
	my ($id, @props) = @_;
	return $t->call('Email/get', { ids => [$id],
		@props ? (properties => \@props) : () })->{list}[0];
}
sub query {
	my $r = $t->call('Email/query', { @_ });
	return $r->{error} // join ' ', @{ $r->{ids} };
}
sub update {
	my ($id, $patch) = @_;
	my $r = $t->call('Email/set', { update => { $id => $patch } });
	return exists(($r->{updated} || {})->{$id}) ? 'ok'
	    : $r->{notUpdated}{$id}{type} // $r->{error};
}
sub state_of { $t->call("$_[0]/get", { ids => [] })->{state} }

# ---- import
my $octets = mail(Subject => '=?utf-8?q?Gr=C3=BC=C3=9Fe?=',
	Date => 'Tue, 13 Oct 2020 10:00:00 +0200', To => 'b@test, "C, D" <c@test>',
	Received => 'from x by y; Tue, 13 Oct 2020 08:01:02 +0000',
	'List-Post' => '<mailto:list@test> (Post)');
my $blob = $t->upload($octets);
my $before = state_of('Email');
my $r = $t->call('Email/import', { emails => {
	a => { blobId => $blob, mailboxIds => { $inbox => $T, $work => $T },
		keywords => { '$seen' => $T, 'MyTag' => $T },
		receivedAt => '2021-02-03T04:05:06Z' },
	b => { blobId => $blob, mailboxIds => { $inbox => $T } },
	c => { blobId => 'Gxxx', mailboxIds => { $inbox => $T } },
	d => { blobId => $blob, mailboxIds => {} },
	e => { blobId => $blob, mailboxIds => { M999 => $T } },
	f => { blobId => $blob, mailboxIds => { $inbox => $F } },
	g => { blobId => $blob, mailboxIds => { $inbox => $T },
		keywords => { 'a b' => $T } },
	h => { blobId => $blob },
	i => { blobId => $blob, mailboxIds => { $inbox => $T },
		receivedAt => '2021-02-03' },
	j => { blobId => $blob, mailboxIds => { $inbox => $T }, foo => 1 } } });
my ($ida, $idb) = map { $r->{created}{$_}{id} } qw(a b);
is_deeply([sort keys %{ $r->{created} }], ['a', 'b'], 'imported');
is($r->{created}{a}{blobId}, $blob, 'the same octets, the same blob');
is($r->{created}{a}{size}, length $octets, 'size');
isnt($ida, $idb, 'two Emails of the same message');
is($r->{oldState}, $before, 'oldState');
is($r->{newState}, state_of('Email'), 'newState');
my %bad = (c => 'blobId', d => 'mailboxIds', e => 'mailboxIds',
	f => 'mailboxIds', g => 'keywords', h => 'mailboxIds',
	i => 'receivedAt', j => 'foo');
for (sort keys %bad) {
	is($r->{notCreated}{$_}{type}, 'invalidProperties', "$_ is refused");
	is_deeply($r->{notCreated}{$_}{properties}, [$bad{$_}], 'for that');
}
is($t->call('Email/import', { ifInState => 'x', emails => {} })->{error},
    'stateMismatch', 'ifInState');
is($t->call('Email/import', { emails => { 'a b' => {} } })->{error},
    'invalidArguments', 'a creation id that is none');
$r = $t->call('Email/import', { emails => { k => { blobId =>
	$t->upload("no header here\r\n\r\nx"), mailboxIds => { $inbox => $T } } } });
is($r->{notCreated}{k}{type}, 'invalidEmail', 'not a message');
my $lf = $t->import_mail("Subject: lf\n\nbody\n");
is(get($lf, 'size')->{size}, length("Subject: lf\r\n\r\nbody\r\n"),
    'line ends become CRLF');

# ---- get: metadata and header
my $m = get($ida);
is_deeply([sort keys %$m], [sort qw(id blobId threadId mailboxIds keywords
	size receivedAt messageId inReplyTo references sender from to cc bcc
	replyTo subject sentAt hasAttachment preview bodyValues textBody
	htmlBody attachments)], 'the default properties');
is_deeply($m->{mailboxIds}, { $inbox => $T, $work => $T }, 'mailboxIds');
is_deeply($m->{keywords}, { '$seen' => $T, mytag => $T },
    'keywords in lower case');
is($m->{receivedAt}, '2021-02-03T04:05:06Z', 'receivedAt');
is(get($idb)->{receivedAt}, '2020-10-13T08:01:02Z', 'or from Received');
is($m->{subject}, "Gr\x{fc}\x{df}e", 'subject');
is($m->{sentAt}, '2020-10-13T10:00:00+02:00', 'sentAt');
is_deeply($m->{from}, [{ name => 'Ann', email => 'ann@test' }], 'from');
is_deeply($m->{to}, [{ name => undef, email => 'b@test' },
	{ name => 'C, D', email => 'c@test' }], 'to');
is($m->{cc}, undef, 'no cc');
is_deeply($m->{messageId}, ['m1@test'], 'messageId');
is($m->{preview}, 'Text.', 'preview');
ok(!$m->{hasAttachment}, 'no attachment');
is_deeply($m->{bodyValues}, {}, 'no values unless asked for');
my @h = ('header:subject', 'header:Subject:asText', 'header:SUBJECT:all',
	'header:to:asAddresses', 'header:to:asGroupedAddresses',
	'header:date:asDate', 'header:message-id:asMessageIds',
	'header:list-post:asURLs', 'header:x-none', 'header:x-none:all',
	'header:x-none:asAddresses', 'header:from:asAddresses:all');
$m = get($ida, @h);
is_deeply([@{$m}{@h}], [' =?utf-8?q?Gr=C3=BC=C3=9Fe?=', "Gr\x{fc}\x{df}e",
	[' =?utf-8?q?Gr=C3=BC=C3=9Fe?='],
	[{ name => undef, email => 'b@test' }, { name => 'C, D',
		email => 'c@test' }],
	[{ name => undef, addresses => [{ name => undef, email => 'b@test' },
		{ name => 'C, D', email => 'c@test' }] }],
	'2020-10-13T10:00:00+02:00', ['m1@test'], ['mailto:list@test'],
	undef, [], undef, [[{ name => 'Ann', email => 'ann@test' }]]],
    'header properties');
# RFC 8621 4.1.2.3 and 4.1.2.4: the example.
my $addr = $t->import_mail(mail(To => qq("  James Smythe" <james\@example.com>, )
	. "Friends:\r\n jane\@example.com, =?UTF-8?Q?John_Sm=C3=AEth?=\r\n"
	. " <john\@example.com>;"));
$m = get($addr, qw(header:to:asAddresses header:to:asGroupedAddresses));
my @james = ({ name => 'James Smythe', email => 'james@example.com' });
my @friends = ({ name => undef, email => 'jane@example.com' },
	{ name => "John Sm\x{ee}th", email => 'john@example.com' });
is_deeply($m->{'header:to:asAddresses'}, [@james, @friends], 'addresses');
is_deeply($m->{'header:to:asGroupedAddresses'}, [{ name => undef,
	addresses => \@james }, { name => 'Friends', addresses => \@friends }],
    'grouped');
my $list = $t->import_mail(mail('List-Help' => '<http://a/x>',
	'List-Unsubscribe' => "<http://a/x>\r\n <mailto:b\@c> (c)",
	'List-Post' => 'NO', 'List-Owner' => '<http://a/x> y'));
my @lists = map { "header:List-$_:asURLs" } qw(Help Unsubscribe Post Owner);
is_deeply([@{ get($list, @lists) }{@lists}], [['http://a/x'],
	['http://a/x', 'mailto:b@c'], undef, undef],
    'URLs, with commas or without');
$t->call('Email/set', { destroy => [$list] });
for ('header:From:asDate', 'header:Subject:asAddresses', 'header:Date:asText',
    'header:To:asURLs', 'header:Received:asText', 'header:', 'header:a b',
    'header:Subject:asFoo', 'header:Subject:all:asText', 'header:a:b', 'x') {
	is($t->call('Email/get', { ids => [], properties => [$_] })->{error},
	    'invalidArguments', "$_ is refused");
}
is($t->call('Email/get', { ids => undef })->{error}, 'invalidArguments',
    'not all Emails at once');

# ---- query
my %id;
for my $i (1 .. 9) {
	$id{$i} = $t->import_mail(mail(Subject => "q$i", body => 'x' x ($i * 10)),
		mailboxIds => { $work => $T }, receivedAt => "2022-01-0${i}T00:00:00Z",
		keywords => { $i % 2 ? ('$flagged' => $T) : (),
			$i > 6 ? ('$seen' => $T) : () });
}
my $ids = sub { join ' ', @id{@_} };
my @in = (filter => { operator => 'AND', conditions => [{ inMailbox => $work },
	{ after => '2022-01-01T00:00:00Z' }] });
my @desc = (@in, sort => [{ property => 'receivedAt', isAscending => $F }]);
my @asc = (@in, sort => [{ property => 'receivedAt' }]);
is(query(@desc), $ids->(reverse 1 .. 9), 'newest first');
is(query(@asc), $ids->(1 .. 9), 'oldest first');
is(query(@asc, limit => 3), $ids->(1 .. 3), 'limit');
is(query(@asc, limit => 0), '', 'limit 0');
is(query(@asc, position => 4, limit => 2), $ids->(5, 6), 'position');
is(query(@asc, position => -3), $ids->(7 .. 9), 'from the end');
is(query(@asc, position => -300), $ids->(1 .. 9), 'clamped');
is(query(@asc, position => 300), '', 'beyond the end');
is(query(@asc, anchor => $id{5}), $ids->(5 .. 9), 'anchor');
is(query(@asc, anchor => $id{5}, anchorOffset => -2, limit => 3),
    $ids->(3 .. 5), 'anchorOffset');
is(query(@asc, anchor => $id{5}, anchorOffset => 2), $ids->(7 .. 9),
    'the other way');
is(query(@asc, anchor => $id{5}, anchorOffset => -300, position => 7),
    $ids->(1 .. 9), 'clamped; position is ignored');
is(query(@asc, anchorOffset => 3), $ids->(1 .. 9), 'no anchor: ignored');
is(query(@asc, anchor => $ida), 'anchorNotFound', 'anchor not found');
is(query(@asc, anchor => 'x'), 'anchorNotFound', 'anchor that is no id');
is(query(@asc, limit => -1), 'invalidArguments', 'negative limit');
is(query(@asc, position => 'x'), 'invalidArguments', 'position of a wrong type');
$r = $t->call('Email/query', { filter => { inMailbox => $work }, limit => 2,
	calculateTotal => $T, position => 3 });
is($r->{total}, 10, 'total');
is($r->{total}, $t->call('Mailbox/get', { ids => [$work] })
	->{list}[0]{totalEmails}, 'as the Mailbox says');
is($r->{position}, 3, 'position in the answer');
is($r->{canCalculateChanges}, $T, 'canCalculateChanges');
ok(!exists $r->{limit}, 'limit is not repeated');
ok(!exists $t->call('Email/query', {})->{total}, 'no total unless asked for');
is($t->call('Email/query', {})->{limit}, 10000, 'the limit that was set');
is(query(filter => { inMailbox => 'M999' }), '', 'no such mailbox: nothing');
my %f = (
	'q7 q8 q9' => { hasKeyword => '$seen' },
	'q2 q4 q6 q8' => { notKeyword => '$Flagged' },
	'q8' => { hasKeyword => '$seen', notKeyword => '$flagged' },
	'q1 q2 q3' => { before => '2022-01-04T00:00:00Z' },
	'q8 q9' => { after => '2022-01-08T00:00:00Z' },
	'' => { hasKeyword => 'nobody-has-this' },
	'q1 q7 q8 q9' => { operator => 'OR', conditions => [
		{ hasKeyword => '$seen' }, { before => '2022-01-02T00:00:00Z' }] },
	'q2 q4 q6' => { operator => 'NOT', conditions => [
		{ hasKeyword => '$seen' }, { hasKeyword => '$flagged' }] },
	'q1 q2 q3 q4 q5 q6 q7 q8 q9' => { operator => 'NOT', conditions => [] },
	' ' => { operator => 'OR', conditions => [] },
	'q1 q2 q3 q4 q5 q6 q7 q8 q9 ' => {},
	'q1 q2 q3 q4 q5 q6 q7 q8 q9  ' => { hasAttachment => $F },
	'  ' => { inMailbox => $inbox },
	'   ' => { inMailboxOtherThan => [$work, $inbox] },
	'q1 q2 q3 q4 q5 q6 q7 q8 q9   ' => { inMailboxOtherThan => [$inbox] },
);
for (sort keys %f) {
	my $want = join ' ', map { $id{substr $_, 1} } split;
	is(query(sort => [{ property => 'receivedAt' }], filter => {
		operator => 'AND', conditions => [{ inMailbox => $work },
		{ after => '2022-01-01T00:00:00Z' }, $f{$_}] }), $want,
	    $CulverJmap::json->encode($f{$_}));
}
is(query(filter => { inMailboxOtherThan => [$work] }, limit => 1,
	sort => [{ property => 'receivedAt', isAscending => $F }]), $addr,
    'anywhere but there');
my $size = get($id{5}, 'size')->{size};
is(query(@in, sort => [{ property => 'size', isAscending => $F }], limit => 2),
    $ids->(9, 8), 'by size');
is(query(filter => { inMailbox => $work, minSize => $size,
	after => '2022-01-01T00:00:00Z' }, sort => [{ property => 'receivedAt' }]),
    $ids->(5 .. 9), 'minSize');
is(query(filter => { inMailbox => $work, maxSize => $size,
	after => '2022-01-01T00:00:00Z' }, sort => [{ property => 'receivedAt' }]),
    $ids->(1 .. 4), 'maxSize');
is(query(@in, sort => [{ property => 'hasKeyword', keyword => '$flagged',
	isAscending => $F }, { property => 'receivedAt' }]),
    $ids->(1, 3, 5, 7, 9, 2, 4, 6, 8), 'two comparators');
is(query(sort => [{ property => 'foo' }]), 'unsupportedSort', 'unknown sort');
is(query(sort => [{ property => 'size', collation => 'x' }]),
    'unsupportedSort', 'unknown collation');
is(query(sort => [$_]), 'invalidArguments', 'bad sort') for 'x', {},
    { property => 'size', isAscending => 'x' }, { property => 'hasKeyword' };
is(query(filter => $_), 'invalidArguments', 'bad filter') for 'x',
    { foo => 1 }, { inMailbox => 1 }, { before => 'x' }, { minSize => -1 },
    { hasKeyword => 'a b' }, { operator => 'XOR', conditions => [] },
    { operator => 'AND' }, { operator => 'AND', conditions => ['x'] },
    { hasAttachment => 1 }, { before => '2022-01-01T00:00:00+01:00' };
is(query(filter => { operator => 'AND', conditions => [({}) x 1500] }),
    'unsupportedFilter', 'too many conditions');

# ---- set: keywords and mailboxes
my $e = $id{1};
$before = state_of('Email');
is(update($e, { 'keywords/$seen' => $T, 'keywords/NewTag' => $T }), 'ok',
    'a patch');
is_deeply(get($e, 'keywords')->{keywords}, { '$flagged' => $T, '$seen' => $T,
	newtag => $T }, 'adds');
is(update($e, { 'keywords/$flagged' => undef }), 'ok', 'null');
is_deeply(get($e, 'keywords')->{keywords}, { '$seen' => $T, newtag => $T },
    'removes');
is(update($e, { keywords => { '$draft' => $T } }), 'ok', 'the whole');
is_deeply(get($e, 'keywords')->{keywords}, { '$draft' => $T }, 'replaces');
is(update($e, { keywords => undef }), 'ok', 'null');
is_deeply(get($e, 'keywords')->{keywords}, {}, 'is none');
is(update($e, { "mailboxIds/$inbox" => $T }), 'ok', 'add a mailbox');
is_deeply(get($e, 'mailboxIds')->{mailboxIds}, { $work => $T, $inbox => $T },
    'in both');
is(update($e, { "mailboxIds/$work" => undef }), 'ok', 'remove one');
is_deeply(get($e, 'mailboxIds')->{mailboxIds}, { $inbox => $T }, 'in one');
is(update($e, { mailboxIds => { $work => $T, $trash => $T } }), 'ok', 'move');
is_deeply(get($e, 'mailboxIds')->{mailboxIds}, { $work => $T, $trash => $T },
    'moved');
is(update($e, get($e)), 'ok', 'a whole object as it is');
for (["mailboxIds/$work" => undef, "mailboxIds/$trash" => undef],
    [mailboxIds => {}], [mailboxIds => undef], [mailboxIds => { M999 => $T }],
    ['mailboxIds/M999' => $T], ["mailboxIds/$work" => $F],
    [mailboxIds => [$work]], ['keywords/a b' => $T], ['keywords/$seen' => $F],
    ['keywords/$seen' => 'x'], [keywords => []], [subject => 'x'],
    [size => 1], [receivedAt => '2020-01-01T00:00:00Z'], [foo => 1],
    ['header:subject' => 'x'], [id => 'E1']) {
	is(update($e, { @$_ }), 'invalidProperties',
	    $CulverJmap::json->encode($_));
}
for ([keywords => {}, 'keywords/$seen' => $T], ['keywords/$seen/x' => $T],
    ['from/0/name' => 'x'], ['keywords/~3' => $T]) {
	is(update($e, { @$_ }), 'invalidPatch', $CulverJmap::json->encode($_));
}
is_deeply(get($e, 'mailboxIds', 'keywords'), { id => $e, keywords => {},
	mailboxIds => { $work => $T, $trash => $T } }, 'nothing changed');
is(update('E999', { keywords => {} }), 'notFound', 'no such Email');
is(update('x', { keywords => {} }), 'notFound', 'not even an id');
$r = $t->call('Email/set', { update => { $id{2} => { 'keywords/$seen' => $T },
	$id{3} => { foo => 1 }, $id{4} => { 'keywords/$seen' => $T } },
	destroy => [$id{4}, $id{5}, 'E999', $id{5}],
	create => { k => { mailboxIds => { $inbox => $T } } } });
is_deeply($r->{updated}, { $id{2} => undef }, 'what can be done is done');
my $made = $r->{created}{k}{id};
is($r->{notUpdated}{$id{3}}{type}, 'invalidProperties', 'the rest is not');
is($r->{notUpdated}{$id{4}}{type}, 'willDestroy', 'willDestroy');
is_deeply([sort @{ $r->{destroyed} }], [sort @id{4, 5}], 'destroyed');
is($r->{notDestroyed}{E999}{type}, 'notFound', 'not there');
is($r->{oldState} ne $r->{newState}, 1, 'the state moved');
is(get($id{5}), undef, 'gone');
is($t->call('Email/set', { ifInState => $before })->{error}, 'stateMismatch',
    'ifInState');
is($t->call('Email/set', { ifInState => state_of('Email') })->{error}, undef,
    'the present one');
is($t->call('Email/set', { update => { $e => 5 } })->{error},
    'invalidArguments', 'a patch is an object');
is($t->call('Email/set', { update => { $e => { map { ("keywords/k$_" => $T) }
	1 .. 100 } } })->{notUpdated}{$e}{type}, 'tooManyKeywords',
    'tooManyKeywords');
# A refusal makes none of them: the names are few, and for good.
is($t->call('Email/set', { update => { $e => { keywords => { map {
	("r$_" => $T) } 1 .. 100 } } } })->{notUpdated}{$e}{type},
    'tooManyKeywords', "refused $_") for 1 .. 3;
is($t->call('Email/set', { update => { $e => {
	'keywords/still-room' => $T } } })->{notUpdated}, undef,
    'refusals use up no keyword');
is($t->call('Email/set', { update => { $e => {
	'keywords/still-room' => undef } } })->{notUpdated}, undef,
    'and off again');

# ---- changes
$r = $t->call('Email/changes', { sinceState => $before });
is_deeply([sort @{ $r->{updated} }], [sort @id{1, 2}], 'updated');
is_deeply([sort @{ $r->{destroyed} }], [sort @id{4, 5}], 'destroyed');
is_deeply($r->{created}, [$made], 'created');
my $new = $t->import_mail(mail());
my $gone = $t->import_mail(mail());
$t->call('Email/set', { destroy => [$gone] });
my $s = $r->{newState};
$r = $t->call('Email/changes', { sinceState => $s });
is_deeply($r->{created}, [$new], 'created');
is_deeply($r->{destroyed}, [], 'what came and went is not mentioned');
is($t->call('Email/changes', { sinceState => $r->{newState} })->{hasMoreChanges},
    $F, 'nothing more');

# ---- threads
my $th = get($new, 'threadId')->{threadId};
my $reply = $t->import_mail(mail(Subject => "Re: Mail $n",
	'In-Reply-To' => "<m$n\@test>"));
my @base = ('Message-ID' => '<base@test>', Subject => 'Thread');
my $root = $t->import_mail(mail(@base), receivedAt => '2023-01-02T00:00:00Z');
my $re = $t->import_mail(mail(Subject => 'Re: Thread',
	References => '<base@test>'), receivedAt => '2023-01-01T00:00:00Z');
my $tid = get($root, 'threadId')->{threadId};
is(get($re, 'threadId')->{threadId}, $tid, 'a reply is in the thread');
$r = $t->call('Thread/get', { ids => [$tid, 'T999', 'x'] });
is_deeply($r->{list}, [{ id => $tid, emailIds => [$re, $root] }],
    'oldest first');
is_deeply([sort @{ $r->{notFound} }], ['T999', 'x'], 'notFound');
is(query(filter => { after => '2023-01-01T00:00:00Z',
	before => '2023-02-01T00:00:00Z' }, collapseThreads => $T), $root,
    'collapseThreads keeps the first');
$t->call('Email/set', { update => { $re => { 'keywords/$flagged' => $T } } });
for (['someInThreadHaveKeyword', 2], ['allInThreadHaveKeyword', 0],
    ['noneInThreadHaveKeyword', 0]) {
	is(scalar(split ' ', query(filter => { $_->[0] => '$flagged',
		after => '2023-01-01T00:00:00Z',
		before => '2023-02-01T00:00:00Z' })), $_->[1], $_->[0]);
}
is((split ' ', query(sort => [{ property => 'someInThreadHaveKeyword',
	keyword => '$flagged', isAscending => $F },
	{ property => 'receivedAt', isAscending => $F }],
	filter => { after => '2023-01-01T00:00:00Z' }))[0], $root,
    'sorted by the thread');
$s = state_of('Thread');
my $re2 = $t->import_mail(mail(Subject => 'Re: Thread',
	References => '<base@test>'));
$r = $t->call('Thread/changes', { sinceState => $s });
is_deeply($r->{updated}, [$tid], 'a new Email updates its thread');
$t->call('Email/set', { destroy => [$root, $re, $re2] });
$r = $t->call('Thread/changes', { sinceState => $s });
is_deeply($r->{destroyed}, [$tid], 'without Emails it is destroyed');

# ---- RFC 8620 3.7: the four calls
my @four = $t->calls(
	['Email/query', { filter => { inMailbox => $work }, limit => 10,
		sort => [{ property => 'receivedAt', isAscending => $F }],
		collapseThreads => $T, position => 0, calculateTotal => $T }, 't0'],
	['Email/get', { '#ids' => { resultOf => 't0', name => 'Email/query',
		path => '/ids' }, properties => ['threadId'] }, 't1'],
	['Thread/get', { '#ids' => { resultOf => 't1', name => 'Email/get',
		path => '/list/*/threadId' } }, 't2'],
	['Email/get', { '#ids' => { resultOf => 't2', name => 'Thread/get',
		path => '/list/*/emailIds' },
		properties => ['from', 'receivedAt', 'subject'] }, 't3']);
is($four[3][0], 'Email/get', 'the four calls');
is(@{ $four[3][1]{list} }, $four[0][1]{total} + 1,
    'all Emails of all threads: the first was imported twice');
done_testing();
