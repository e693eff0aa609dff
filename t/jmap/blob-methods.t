# t/jmap/blob-methods.t - Blob/upload, /get, /lookup (RFC 9404), /copy (RFC 8620)
use strict;
use warnings;
use Digest::SHA qw(sha1_base64 sha256 sha512);
use MIME::Base64 qw(encode_base64);
use Test::More;
use CulverJmap;

my $cap = 'urn:ietf:params:jmap:blob';
my $t = CulverJmap->new(users => { alice => 'secret', bob => 'other' },
	using => ['blob'], conf => "jmap-max-size-upload = 1M\n"
	    . "jmap-max-objects-in-get = 20\njmap-max-objects-in-set = 20\n");
my ($T, $F) = (JSON::PP::true, JSON::PP::false);

sub b64 { encode_base64($_[0], '') }
sub upload {
	my @data = @_;
	my $r = $t->call('Blob/upload', { create => { k => { data => \@data } } });
	return $r->{created} ? $r->{created}{k} : $r->{notCreated}{k};
}
sub get {
	my ($id, %o) = @_;
	my $r = $t->call('Blob/get', { ids => [$id], %o });
	return $r->{error} ? $r : $r->{list}[0];
}
sub down {
	my ($blob) = @_;
	my $r = $t->request('GET', '/jmap/download/' . $t->account
	    . "/$blob/x?type=a/b");
	return $r->{status} == 200 ? $r->{content} : $r->{status};
}

my $s = $t->session;
is_deeply($s->{capabilities}{$cap}, {}, 'advertised');
is_deeply($s->{accounts}{ $t->account }{accountCapabilities}{$cap}, {
	maxSizeBlobSet => 1 << 20, maxDataSources => 100,
	supportedTypeNames => ['Mailbox', 'Thread', 'Email'],
	supportedDigestAlgorithms => ['sha', 'sha-256', 'sha-512'] },
    "the account's limits");

# ---- Blob/upload: the RFC's examples
my $fox = 'The quick brown fox jumped over the lazy dog.';
my @r = $t->calls(['Blob/upload', { create => { b4 => {
		data => [{ 'data:asText' => $fox }] } } }],
    ['Blob/upload', { create => { cat => { data => [{ 'data:asText' => 'How' },
		{ blobId => '#b4', length => 7, offset => 3 },
		{ 'data:asText' => 'was t' },
		{ blobId => '#b4', length => 1, offset => 1 },
		{ 'data:asBase64' => 'YXQ/' }] } } }],
    ['Blob/get', { properties => ['data:asText', 'size'], ids => ['#cat'] }]);
is($r[1][1]{created}{cat}{size}, 19, 'size');
is_deeply($r[2][1]{list}, [{ id => $r[1][1]{created}{cat}{id},
	'data:asText' => 'How quick was that?', size => 19 }], 'How quick was that?');
my $r = $t->call('Blob/upload', { create => { 1 => { data => [
	{ 'data:asBase64' => b64("\x89PNG\0") }], type => 'image/png' } } });
my $png = $r->{created}{1};
is_deeply([@$png{qw(type size)}], ['image/png', 5], 'type and size');
is($r->{notCreated}, undef, 'nothing was refused');
is(down($png->{id}), "\x89PNG\0", 'the octets');
is($t->upload("\x89PNG\0"), $png->{id}, 'the id that an upload has');
is(upload()->{size}, 0, 'nothing at all');
is(upload({ 'data:asText' => "\x{e9}" })->{size}, 2, 'text is UTF-8');
is(down(upload({ blobId => $png->{id} }, { blobId => $png->{id}, offset => 4 },
	{ blobId => $png->{id}, offset => 5 }, { blobId => $png->{id},
	offset => undef, length => 2 })->{id}), "\x89PNG\0\0\x89P", 'ranges');
$r = $t->call('Blob/upload', { create => { a => { data => [{ 'data:asText' =>
	'a', 'data:asBase64' => undef }] }, b => { data => 5 } } });
is($r->{created}{a}{size}, 1, 'one is fine');
is($r->{notCreated}{b}{type}, 'invalidProperties', 'another is not');
for ([{ blobId => $png->{id}, offset => 6 }, 'begins beyond the end'],
    [{ blobId => $png->{id}, offset => 3, length => 3 }, 'ends there'],
    [{ blobId => $png->{id}, offset => -1 }, 'negative'],
    [{ blobId => $png->{id}, length => 2 ** 52 }, 'much'],
    [{ blobId => 'Gnone' }, 'no such blob'], [{ blobId => '#none' }, 'no such id'],
    [{ 'data:asBase64' => 'YXQ' }, 'base64 without padding'],
    [{ 'data:asBase64' => "YX\nQ/" }, 'a line end in base64'],
    [{ 'data:asBase64' => 5 }, 'a number'], [{ 'data:asText' => [] }, 'an array'],
    [{}, 'no source'], [{ 'data:asText' => undef }, 'null'], ['x', 'no object'],
    [{ 'data:asText' => 'a', 'data:asBase64' => 'YXQ/' }, 'two sources'],
    [{ 'data:asText' => 'abc', offset => 1 }, 'a part of a text'],
    [{ 'data:asMagic' => 'a' }, 'an unknown source'],
    [{ 'data:asText' => 'a', foo => 1 }, 'more than a source']) {
	my $e = upload({ 'data:asText' => 'x' }, $_->[0]);
	is($e->{type}, 'invalidProperties', "refused: $_->[1]");
	is_deeply($e->{properties}, ['data'], 'properties');
}
is(upload(({ 'data:asText' => 'x' }) x 100)->{size}, 100, 'as many as may be');
is(upload(({ 'data:asText' => 'x' }) x 101)->{type}, 'invalidProperties', 'more');
my $half = upload({ 'data:asText' => 'x' x (1 << 19) })->{id};
is(upload({ blobId => $half }, { blobId => $half })->{size}, 1 << 20,
    'as large as may be');
is(upload({ blobId => $half }, { blobId => $half }, { 'data:asText' => 'x' })
    ->{type}, 'tooLarge', 'larger');
for ([{ data => [], type => 5 }, 'type'], [{ data => [], foo => 1 }, 'foo'], [{}, 'data']) {
	$r = $t->call('Blob/upload', { create => { k => $_->[0] } });
	is_deeply($r->{notCreated}{k}{properties}, [$_->[1]], "refused: $_->[1]");
	is($r->{created}, undef, 'nothing is created');
}
for ([{}, 'invalidArguments'], [{ create => { k => 5 } }, 'invalidArguments'],
    [{ create => { 'a b' => { data => [] } } }, 'invalidArguments'],
    [{ create => { map { $_ => { data => [] } } 1 .. 21 } }, 'requestTooLarge'],
    [{ create => {}, accountId => 'Ax' }, 'accountNotFound']) {
	is($t->call('Blob/upload', $_->[0])->{error}, $_->[1], $_->[1]);
}

# ---- Blob/get
my $id = $r[0][1]{created}{b4}{id};
is_deeply(get($id), { id => $id, 'data:asText' => $fox, size => 45 },
    'data and size by default');
is_deeply(get($id, properties => ['data:asText', 'digest:sha', 'size']),
    { id => $id, 'data:asText' => $fox, size => 45,
	'digest:sha' => 'wIVPufsDxBzOOALLDSIFKebu+U4=' }, "the RFC's own example");
is_deeply(get($id, properties => ['data:asText', 'data:asBase64', 'digest:sha',
	'digest:sha-256', 'digest:sha-512'], offset => 4, length => 9),
    { id => $id, 'data:asText' => 'quick bro', 'data:asBase64' => b64('quick bro'),
	'digest:sha' => sha1_base64('quick bro') . '=',
	'digest:sha-256' => b64(sha256('quick bro')),
	'digest:sha-512' => b64(sha512('quick bro')) }, 'of a range');
my $bad = "The quick brown fox jumped over the \x81\x81 dog.";
my $bid = $t->upload($bad);
is_deeply(get($bid), { id => $bid, 'data:asBase64' => b64($bad), size => 43,
	isEncodingProblem => $T }, 'data: what is not UTF-8');
is_deeply(get($bid, properties => ['data:asText', 'size']), { id => $bid,
	'data:asText' => undef, size => 43, isEncodingProblem => $T },
    'data:asText');
is_deeply(get($bid, properties => ['data:asBase64', 'size']), { id => $bid,
	'data:asBase64' => b64($bad), size => 43 }, 'data:asBase64');
is_deeply(get($bid, offset => 0, length => 5), { id => $bid, size => 43,
	'data:asText' => 'The q' }, 'a range that is');
is_deeply(get($bid, offset => 20, length => 100), { id => $bid, size => 43,
	'data:asBase64' => b64(substr $bad, 20), isEncodingProblem => $T,
	isTruncated => $T }, 'one beyond the end');
is_deeply(get($id, offset => 45), { id => $id, 'data:asText' => '', size => 45 },
    'at the end');
is_deeply(get($id, offset => 46, length => 0), { id => $id, 'data:asText' => '',
	size => 45, isTruncated => $T }, 'behind it');
my $uml = $t->upload("\xc3\xa9\xc3\xa9");
ok(get($uml, offset => 1, length => 2)->{isEncodingProblem}, 'half a character');
is_deeply(get($id, properties => ['id']), { id => $id }, 'the id alone');
is_deeply(get($id, properties => ['digest:sha']), { id => $id,
	'digest:sha' => 'wIVPufsDxBzOOALLDSIFKebu+U4=' }, 'a digest alone');
$r = $t->call('Blob/get', { ids => [$id, 'x', $id, '#y', $bid] });
is_deeply([map { $_->{id} } @{ $r->{list} }], [$id, $bid], 'list');
is_deeply($r->{notFound}, ['x', '#y'], 'notFound');
for ([{}, 'invalidArguments'], [{ ids => undef }, 'invalidArguments'],
    [{ ids => [], properties => ['foo'] }, 'invalidArguments'],
    [{ ids => [], properties => ['digest:md5'] }, 'invalidArguments'],
    [{ ids => [], properties => ["size\0x"] }, 'invalidArguments'],
    [{ ids => [], offset => -1 }, 'invalidArguments'],
    [{ ids => [('x') x 21] }, 'requestTooLarge']) {
	is($t->call('Blob/get', $_->[0])->{error}, $_->[1], $_->[1]);
}

# Parts of messages, decoded.
my $bin = join '', map { chr($_ * 7 % 256) } 1 .. 90000;
my $mail = join "\r\n", 'Subject: parts', 'Content-Type: multipart/mixed; boundary=o',
    '', '--o', '', 'text', '--o', 'Content-Type: image/x',
    'Content-Disposition: attachment',
    'Content-Transfer-Encoding: base64', '', split(/\n/, encode_base64($bin)),
    '--o--', '';
my $email = $t->import_mail($mail);
my $e = $t->call('Email/get', { ids => [$email], properties => ['blobId',
	'threadId', 'attachments'], })->{list}[0];
my $part = $e->{attachments}[0]{blobId};
is_deeply(get($part, properties => ['data:asBase64', 'size'], offset => 66000,
	length => 1000), { id => $part, size => 90000, 'data:asBase64' =>
	b64(substr $bin, 66000, 1000) }, 'a range of a part');
is(down(upload({ blobId => $part, offset => 70000, length => 5 }, { blobId =>
	$part, length => 3 })->{id}), substr($bin, 70000, 5) . substr($bin, 0, 3),
    'as a source');

# ---- Blob/lookup
sub lookup {
	my ($types, @ids) = @_;
	return $t->call('Blob/lookup', { typeNames => $types, ids => \@ids });
}
my @all = qw(Mailbox Thread Email);
my $inbox = $t->mailbox('inbox');
$r = lookup(\@all, $e->{blobId}, $part, $id, 'x');
is_deeply($r->{list}, [(map { { id => $_, matchedIds => { Mailbox => [$inbox],
	Thread => [$e->{threadId}], Email => [$email] } } } $e->{blobId}, $part),
	{ id => $id, matchedIds => { Mailbox => [], Thread => [], Email => [] } }],
    'where it is');
is_deeply($r->{notFound}, ['x'], 'notFound');
my $other = $t->call('Mailbox/set', { create => { m => { name => 'Other' } } })
    ->{created}{m}{id};
my $again = $t->import_mail($mail, mailboxIds => { $other => $T });
$t->call('Email/set', { update => { $email => { "mailboxIds/$other" => $T } } });
$t->import_mail("Subject: z\r\n\r\n" . 'z' x (length($mail) - 16) . "\r\n");
$r = lookup(['Email', 'Mailbox'], $e->{blobId})->{list}[0]{matchedIds};
is_deeply([sort @{ $r->{Email} }], [sort $email, $again], 'several Emails');
is_deeply([sort @{ $r->{Mailbox} }], [sort $inbox, $other], 'and Mailboxes');
ok(!exists $r->{Thread}, 'only the types that were asked for');
$t->call('Email/set', { destroy => [$email, $again] });
is_deeply(lookup(['Email'], $e->{blobId})->{list}[0]{matchedIds}, { Email => [] },
    'not where they were');
is(lookup(['Foo'], $id)->{error}, 'unknownDataType', 'an unknown type');
is(lookup(['Email', 'Identity'], $id)->{error}, 'unknownDataType', 'one not listed');
is(lookup('Email')->{error}, 'invalidArguments', 'no list');
is(lookup([], ('x') x 21)->{error}, 'requestTooLarge', 'too many');
{
	local $t->{using} = ['urn:ietf:params:jmap:core', $cap];
	is(lookup(['Email'], $id)->{error}, 'unknownDataType',
	    'a type of a capability that is not used');
	local $t->{using} = ['urn:ietf:params:jmap:core'];
	is(lookup([])->{error}, 'unknownMethod', 'not without the capability');
}

# ---- Blob/copy
$r = $t->call('Blob/copy', { fromAccountId => $t->account, blobIds =>
	[$id, $part, 'x'] });
is($r->{fromAccountId}, $t->account, 'fromAccountId');
is($r->{copied}{$id}, $id, 'a blob');
is(down($r->{copied}{$part}), $bin, 'a part becomes a blob of its own');
is_deeply($r->{notCopied}, { x => { type => 'notFound' } }, 'notFound');
$r = $t->call('Blob/copy', { fromAccountId => $t->account, blobIds => [] });
is_deeply([@$r{qw(copied notCopied)}], [undef, undef], 'none');
for ([{ fromAccountId => 'Ax', blobIds => [] }, 'fromAccountNotFound'],
    [{ fromAccountId => $t->account, accountId => 'Ax', blobIds => [] },
	'accountNotFound'], [{ blobIds => [] }, 'invalidArguments'],
    [{ fromAccountId => $t->account, blobIds => [('x') x 21] },
	'requestTooLarge']) {
	is($t->call('Blob/copy', $_->[0])->{error}, $_->[1], $_->[1]);
}

my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
