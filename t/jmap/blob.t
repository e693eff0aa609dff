# t/jmap/blob.t - upload and download (RFC 8620 6), parts of messages
use strict;
use warnings;
use MIME::Base64 qw(encode_base64);
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'other' },
	conf => "jmap-max-size-upload = 1M\njmap-upload-rate = 1000\n"
	    . "jmap-upload-grace = 1s\n");
my $T = JSON::PP::true;
my $acct = $t->account;
my $up = "/jmap/upload/$acct/";

sub down {
	my ($blob, $name, $query, %o) = @_;
	return $t->request('GET', "/jmap/download/$acct/$blob/$name$query", %o);
}

# ---- upload
my $octets = join '', map { chr($_ % 256) } 1 .. 100_000;
my $r = $t->request('POST', $up, content => $octets,
	headers => { 'content-type' => 'image/x-test; a=b' });
is($r->{status}, 201, 'uploaded');
is($r->{json}{accountId}, $acct, 'accountId');
is($r->{json}{size}, 100_000, 'size');
is($r->{json}{type}, 'image/x-test; a=b', 'type as it was given');
my $blob = $r->{json}{blobId};
like($blob, qr/\AG[\w-]{32}\z/, 'blobId');
is($t->upload($octets), $blob, 'the same again');
isnt($t->upload("x$octets"), $blob, 'another');
ok($t->upload(''), 'nothing at all');
my $big = 'x' x (1 << 20);
ok($t->upload($big), 'as much as is allowed');
$r = $t->request('POST', $up, content => "$big.");
is($r->{status}, 413, 'more than is allowed');
is($r->{json}{limit}, 'maxSizeUpload', 'limit');
my $c = $t->raw;
$c->put("POST $up HTTP/1.1\r\nHost: localhost\r\nAuthorization: " . $t->auth
    . "\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
my $sent = 0;
while ($sent < 40 && $c->put("10000\r\n" . 'x' x 65536 . "\r\n")) {
	$sent++;
}
like($c->get, qr{ 413 }, 'also when the length is not told');
$c = $t->raw;
$c->put("POST $up HTTP/1.1\r\nHost: localhost\r\nAuthorization: " . $t->auth
    . "\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    . "5\r\nhello\r\n0\r\n\r\n");
like($c->rest, qr/"size":5/, 'chunked');
is($t->request('POST', $up, content => 'x', auth => undef)->{status}, 401,
    'not without a password');
is($t->request('POST', '/jmap/upload/A123/', content => 'x')->{status}, 404,
    'no such account');
is($t->request('POST', $up, content => 'x', auth => $t->auth('bob', 'other'))
	->{status}, 404, "somebody else's account");

# ---- download
$r = down($blob, 'a%2Fb%20%22c%22%C3%A9.bin', '?type=image%2Fpng');
is($r->{status}, 200, 'downloaded');
ok($r->{content} eq $octets, 'the same octets');
is($r->{headers}{'content-type'}, 'image/png', 'the type of the URL');
is($r->{headers}{'content-length'}, 100_000, 'its length');
is($r->{headers}{'content-disposition'}, 'attachment; filename="a_b _c___.bin"; '
    . "filename*=UTF-8''a%2Fb%20%22c%22%C3%A9.bin", 'the name of the URL');
like($r->{headers}{'cache-control'}, qr/private.*immutable/, 'cached for long');
is($r->{headers}{'x-content-type-options'}, 'nosniff', 'nosniff');
like($r->{headers}{'content-security-policy'}, qr/sandbox/, 'sandbox');
is(down($blob, 'x', '?type=text/html;%20charset=utf-8')->{headers}{'content-type'},
    'text/html; charset=utf-8', 'with a parameter');
is(down($blob, 'x', '')->{headers}{'content-type'}, 'application/octet-stream',
    'no type');
is(down($blob, 'x', "?type=$_")->{status}, 400, "type=$_") for
    'a%2Fb%0D%0AX-Evil:%20y', 'nonsense', 'a%2Fb%00', 'a%2F%C3%A9', '%zz';
$r = down($blob, 'x%0D%0AX-Evil:%20y', '?type=a/b');
is($r->{status}, 200, 'line ends in the name');
ok(!exists $r->{headers}{'x-evil'}, 'make no header');
is(down($blob, 'x', '?type=a/b', headers => { 'if-none-match' =>
	$r->{headers}{etag} })->{status}, 304, 'If-None-Match');

# Ranges (RFC 9110 14).
sub part {
	my ($range, %more) = @_;
	return down($blob, 'x', '?type=a/b', headers => { range => $range, %more });
}
for (['bytes=0-0', 0, 1], ['bytes=99-1000', 99, 902], ['Bytes=99990-', 99990, 10],
    ['bytes=-7', 99993, 7], ['bytes=5-200000', 5, 99995], ['bytes=-200000', 0, 100_000]) {
	my ($range, $off, $n) = @$_;
	$r = part($range);
	is($r->{status}, 206, $range);
	ok($r->{content} eq substr($octets, $off, $n), "$range: its octets");
	is($r->{headers}{'content-range'}, sprintf('bytes %d-%d/100000', $off,
		$off + $n - 1), "$range: Content-Range");
}
for ('bytes=100000-', 'bytes=-0', 'bytes=100000-100001') {
	$r = part($_);
	is("$r->{status} $r->{headers}{'content-range'}", '416 bytes */100000', $_);
	is($r->{headers}{'cache-control'}, 'no-store', "$_: not kept");
}
for ('bytes=5-4', 'bytes=', 'bytes=-', 'bytes=x-5', 'lines=1-2', 'bytes=1',
    'bytes=0-1,5-6', 'bytes=-1-2', 'bytes=99999999999999999999-') {
	$r = part($_);
	ok($r->{status} == 200 && $r->{content} eq $octets, "$_: all of it");
}
my $etag = $r->{headers}{etag};
is($r->{headers}{'accept-ranges'}, 'bytes', 'Accept-Ranges');
is(part('bytes=0-4', 'if-range' => $etag)->{status}, 206, 'If-Range');
is(part('bytes=0-4', 'if-range' => $_)->{status}, 200, "If-Range: $_") for
    '"x"', "W/$etag", 'Mon, 23 Nov 2026 12:00:00 GMT';
is(part('bytes=0-4', 'if-none-match' => $etag)->{status}, 304, 'both');
$r = $t->request('HEAD', "/jmap/download/$acct/$blob/x?type=a/b");
is($r->{status}, 200, 'HEAD');
is($r->{headers}{'content-length'}, 100_000, 'says the length');
for ('x', 'G', 'G' . 'A' x 32, 'G' . '!' x 32, 'G' . 'A' x 300, "P$blob",
    'P' . substr($blob, 1), 'P' . substr($blob, 1) . '_0_10_0') {
	$r = down($_, 'x', '?type=a/b');
	is($r->{status}, 404, 'no such blob: ' . substr($_, 0, 50));
	is($r->{json}{status}, 404, 'a problem document');
}
is($t->request('GET', "/jmap/download/$acct/$blob/x?type=a/b",
	auth => $t->auth('bob', 'other'))->{status}, 404,
    "somebody else's account");
my $bobs = $t->request('GET', '/.well-known/jmap',
	auth => $t->auth('bob', 'other'))->{json};
my ($bob) = keys %{ $bobs->{accounts} };
is($t->request('GET', "/jmap/download/$bob/$blob/x?type=a/b",
	auth => $t->auth('bob', 'other'))->{status}, 404,
    "somebody else's blob in one's own account");

# ---- parts of a message
my $inner = "Subject: inner\r\n\r\nInside.\r\n";
my $html = '<p>H' . "\xe9" . 'llo</p>';
my $bin = join '', map { chr($_ * 7 % 256) } 1 .. 5000;
my $mail = join "\r\n", 'Subject: parts', 'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=o', '', '--o',
    'Content-Type: multipart/alternative; boundary=i', '', '--i',
    'Content-Type: text/plain; charset=utf-8', 'Content-Language: de, en', '',
    "Pl\xc3\xa4in,", 'two lines', '--i',
    'Content-Type: Text/HTML; charset=iso-8859-1',
    'Content-Transfer-Encoding: quoted-printable', '',
    '<p>H=E9llo</p>', '--i--', '--o',
    'Content-Type: application/octet-stream',
    "Content-Disposition: attachment; filename*=UTF-8''%C3%A9.bin",
    'Content-ID: <cid@x>', 'Content-Location: http://x/y',
    'Content-Transfer-Encoding: base64', '', split(/\n/, encode_base64($bin)),
    '--o', 'Content-Type: message/rfc822', '', $inner . '--o',
    'Content-Type: text/plain', 'Content-Transfer-Encoding: x-unknown', '',
    'unknown', '--o--', '';
my $id = $t->import_mail($mail);
my $e = $t->call('Email/get', { ids => [$id], fetchAllBodyValues => $T,
	properties => [qw(blobId bodyStructure textBody htmlBody attachments
		bodyValues hasAttachment size)] })->{list}[0];
ok(down($e->{blobId}, 'm.eml', '?type=message/rfc822')->{content} eq $mail,
    'the message itself');
my $s = $e->{bodyStructure};
is($s->{type}, 'multipart/mixed', 'structure');
is($s->{blobId}, undef, 'a multipart has no blob');
is($s->{partId}, undef, 'and no partId');
my ($alt, $att, $msg, $unk) = @{ $s->{subParts} };
my ($plain, $h) = @{ $alt->{subParts} };
is_deeply([map { $_->{type} } $alt, $plain, $h, $att, $msg, $unk],
    [qw(multipart/alternative text/plain text/html application/octet-stream
	message/rfc822 text/plain)], 'types');
is_deeply([map { $_->{partId} } @{ $e->{textBody} }],
    [$plain->{partId}, $unk->{partId}], 'textBody');
is_deeply([map { $_->{partId} } @{ $e->{htmlBody} }],
    [$h->{partId}, $unk->{partId}], 'htmlBody');
is_deeply([map { $_->{partId} } @{ $e->{attachments} }],
    [$att->{partId}, $msg->{partId}], 'attachments');
ok($e->{hasAttachment}, 'hasAttachment');
is_deeply($plain->{language}, ['de', 'en'], 'language');
is($att->{name}, "\x{e9}.bin", 'name');
is($att->{cid}, 'cid@x', 'cid');
is($att->{location}, 'http://x/y', 'location');
is($att->{disposition}, 'attachment', 'disposition');
is($h->{charset}, 'iso-8859-1', 'charset');
my %part = (plain => [$plain, "Pl\xc3\xa4in,\r\ntwo lines"],
	html => [$h, $html], binary => [$att, $bin], message => [$msg, $inner],
	unknown => [$unk, 'unknown']);
for (sort keys %part) {
	my ($p, $want) = @{ $part{$_} };
	$want =~ s/\r\n\z// if $_ eq 'message';
	my $r = down($p->{blobId}, 'x', '?type=a/b');
	ok($r->{content} eq $want, "$_: decoded octets");
	is($p->{size}, length $want, "$_: size");
	is(down($p->{blobId}, 'x', '?type=a/b', headers => { range => 'bytes=3-5' })
	    ->{content}, substr($want, 3, 3), "$_: a range of it");
	is($r->{headers}{'content-length'}, length $want, "$_: length");
}
is_deeply($e->{bodyValues}{$plain->{partId}}, { value => "Pl\x{e4}in,\ntwo lines",
	isEncodingProblem => JSON::PP::false, isTruncated => JSON::PP::false },
    'value of a part');
is($e->{bodyValues}{$h->{partId}}{value}, "<p>H\x{e9}llo</p>", 'in Unicode');
ok($e->{bodyValues}{$unk->{partId}}{isEncodingProblem}, 'encoding problem');
is(scalar keys %{ $e->{bodyValues} }, 3, 'all text parts');
for (['fetchTextBodyValues', $plain, $unk], ['fetchHTMLBodyValues', $h, $unk]) {
	my ($arg, @want) = @$_;
	my $v = $t->call('Email/get', { ids => [$id], $arg => $T })
	    ->{list}[0]{bodyValues};
	is_deeply([sort keys %$v], [sort map { $_->{partId} } @want], $arg);
}
my $v = $t->call('Email/get', { ids => [$id], fetchAllBodyValues => $T,
	maxBodyValueBytes => 3 })->{list}[0]{bodyValues}{$plain->{partId}};
is($v->{value}, 'Pl', 'cut between characters');
ok($v->{isTruncated}, 'isTruncated');
$e = $t->call('Email/get', { ids => [$id], properties => ['bodyStructure',
	'attachments'], bodyProperties => ['type', 'headers',
	'header:content-type:asText'] })->{list}[0];
is_deeply([sort keys %{ $e->{attachments}[0] }], [sort 'type', 'headers',
	'header:content-type:asText'], 'bodyProperties');
is($e->{attachments}[0]{'header:content-type:asText'},
    'application/octet-stream', "a part's header field");
is_deeply($e->{attachments}[0]{headers}[2], { name => 'Content-ID',
	value => ' <cid@x>' }, "a part's headers");
is($t->call('Email/get', { ids => [], bodyProperties => ['x'] })->{error},
    'invalidArguments', 'an unknown body property');
# The attached message can be imported by its blobId.
my $in = $t->import_mail('x: y');
my $imp = $t->call('Email/import', { emails => { k => {
	blobId => $msg->{blobId}, mailboxIds => { $t->mailbox('inbox') => $T } } } });
is($t->call('Email/get', { ids => [$imp->{created}{k}{id}],
	properties => ['subject'] })->{list}[0]{subject}, 'inner',
    'an attached message imported');

# ---- slower than anybody's network
my $slow = $t->raw;
my $head = sub { "POST $up HTTP/1.1\r\nHost: localhost\r\nAuthorization: "
	. $t->auth . "\r\nContent-Type: a/b\r\nContent-Length: $_[0]\r\n"
	. "Connection: close\r\n\r\n" };
$slow->put($head->(100000) . 'x' x 100);
for (1 .. 30) {	# still within the time in which each octet may come
	last if defined $slow->{status};
	$slow->put('x');
	$slow->{status} = $slow->get(0.3);
}
like($slow->{status}, qr/ 408 /, 'an upload that trickles ends');
$slow = $t->raw;
$slow->put($head->(3000) . 'x' x 1500);
select undef, undef, undef, 1.5;
$slow->put('x' x 1500);
like($slow->get, qr/ 201 /, 'one that is slow goes on');
done_testing();
