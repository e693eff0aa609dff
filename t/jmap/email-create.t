# t/jmap/email-create.t - Email/set create (RFC 8621 4.6): messages made from
# JSON, read back as JSON and as octets
use strict;
use warnings;
use Test::More;
use CulverJmap;
use Encode qw(decode encode);
use MIME::Base64 qw(decode_base64);
use MIME::QuotedPrint qw(decode_qp);

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => qq(max-message = 300K\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $inbox = $t->mailbox('inbox');

sub create {
	my (%o) = @_;
	my $r = $t->call('Email/set', { create => { k => {
		mailboxIds => { $inbox => $T }, %o } } });
	return $r->{created} ? $r->{created}{k} : $r->{notCreated}{k};
}
sub get {
	my ($id, @props) = @_;
	return $t->call('Email/get', { ids => [$id], properties => \@props,
		bodyProperties => [qw(partId type charset disposition cid name
		    language location subParts size)],
		fetchAllBodyValues => $T })->{list}[0];
}
sub octets {
	my ($id) = @_;
	my $blob = get($id, 'blobId')->{blobId};
	return $t->request('GET', '/jmap/download/' . $t->account .
	    "/$blob/x?type=message/rfc822")->{content};
}
sub text { (bodyValues => { t => { value => $_[0] } },
	textBody => [{ partId => 't', type => 'text/plain' }]) }

# ---- a draft
my %draft = (
	from => [{ name => "J\x{fc}rgen M\x{fc}ller", email => 'j@example.org' }],
	to => [{ name => 'Smith, "Bob"', email => 'bob@example.com' },
	    { name => undef, email => 'x@example.com' }],
	cc => [{ name => 'Plain Name', email => 'p@example.com' }],
	subject => "Gr\x{fc}\x{df}e \x{2014} a line that is long enough to be " .
	    "folded, with \x{65e5}\x{672c}\x{8a9e}\x{306e} inside and a tail",
	messageId => ['a.b@example.org'], inReplyTo => ['q@x'],
	references => [map { "ref-number-$_\@example.org" } 1 .. 9],
	sentAt => '2026-11-23T12:34:56+05:30',
	keywords => { '$draft' => $T, '$seen' => $T },
	receivedAt => '2026-01-02T03:04:05Z',
);
my $r = create(%draft, text("Hello\nworld\n"));
is_deeply([sort keys %$r], [qw(blobId id size threadId)], 'created') or
    diag explain $r;
my $e = get($r->{id}, keys %draft, qw(textBody bodyValues size hasAttachment));
for my $k (sort keys %draft) {
	is_deeply($e->{$k}, $draft{$k}, $k);
}
is($e->{bodyValues}{ $e->{textBody}[0]{partId} }{value}, "Hello\nworld\n",
    'the text') or diag explain $e;
is($e->{size}, $r->{size}, 'size');
my $o = octets($r->{id});
is(length $o, $r->{size}, 'octets');
unlike($o, qr/[^\x09\x0d\x0a\x20-\x7e]/, 'ASCII alone');
unlike($o, qr/(?<!\r)\n|\r(?!\n)/, 'CRLF');
is((grep { length > 78 } split /\r\n/, $o)[0], undef, 'short lines');
like($o, qr/^Date: Mon, 23 Nov 2026 12:34:56 \+0530\r$/m, 'Date');
like($o, qr/^Content-Type: text\/plain; charset=utf-8\r$/m, 'Content-Type');
like($o, qr/^MIME-Version: 1.0\r$/m, 'MIME-Version');
unlike($o, qr/\(|=\?utf-8\?.\?[^?]{64,}/, 'encoded words of 75 at most');

# ---- what is made where nothing is given
$r = create(text(''));
$o = octets($r->{id});
like($o, qr/^Message-ID: <[0-9a-f]{32}\@mail\.test>\r$/m, 'Message-ID');
like($o, qr/^Date: \w{3}, \d+ \w{3} 20\d\d [\d:]{8} \+0000\r$/m, 'Date');
$r = create();
is(get($r->{id}, 'textBody')->{textBody}[0]{type}, 'text/plain',
    'a message without anything');

# ---- texts and how they travel
my %texts = (
	'ASCII' => ["plain\ntext\n", '7bit'],
	'German' => ["Gr\x{fc}\x{df}e aus der sch\x{f6}nen Stadt am Rhein, " x 40 . "\n.\nFrom me\n",
	    'quoted-printable'],
	'blanks and =' => ["\x{e9} a=b \n\t\nplain ascii text goes on here\n",
	    'quoted-printable'],
	'Japanese' => ["\x{65e5}\x{672c}\x{8a9e}" x 300 . "\n", 'base64'],
	'a long line' => ['x' x 5000 . "\n", 'quoted-printable'],
	'998' => ['y' x 998 . "\n", '7bit'],
	'emoji' => ["\x{1f600}" x 100 . "\n", 'base64'],
);
for my $k (sort keys %texts) {
	my ($text, $how) = @{ $texts{$k} };
	$r = create(text($text));
	$e = get($r->{id}, qw(textBody bodyValues));
	is((values %{ $e->{bodyValues} })[0]{value}, $text, "$k: the same");
	$o = octets($r->{id});
	my ($enc) = $o =~ /^Content-Transfer-Encoding: (\S+)\r$/m;
	is($enc, $how, "$k: $how");
	cmp_ok((sort { $b <=> $a } map { length } split /\r\n/, $o)[0], '<=',
	    $how eq '7bit' ? 998 : 78, "$k: line length");
	my ($body) = $o =~ /\r\n\r\n(.*)\z/s;
	$body = decode_qp($body) if $how eq 'quoted-printable';
	$body = decode_base64($body) if $how eq 'base64';
	is(decode('UTF-8', $body =~ s/\r\n/\n/gr), $text,
	    "$k: by another decoder");
}
$r = create(text("a\r\nb\rc\n"));
like(octets($r->{id}), qr/\r\n\r\na\r\nb\r\nc\r\n\z/, 'any line end');

# ---- parts
my $png = join '', map { chr($_ * 37 & 255) } 1 .. 1000;
my $blob = $t->upload($png, 'image/png');
my %both = (bodyValues => { t => { value => "text\n" },
	h => { value => '<p>html <img src="cid:pic@x">' } },
	textBody => [{ partId => 't', type => 'text/plain' }],
	htmlBody => [{ partId => 'h', type => 'text/html' }]);
sub types {
	my ($p) = @_;
	return $p->{subParts} && @{ $p->{subParts} } ? "$p->{type}(" .
	    join(' ', map { types($_) } @{ $p->{subParts} }) . ')' : $p->{type};
}
sub shape { types(get($_[0]{id}, 'bodyStructure')->{bodyStructure}) }
is(shape(create(%both)), 'multipart/alternative(text/plain text/html)',
    'text and HTML');
my %pic = (blobId => $blob, type => 'image/png', cid => 'pic@x',
	disposition => 'inline', name => "Bild \x{fc}ber alles.png");
is(shape(create(%both, attachments => [\%pic])),
    'multipart/alternative(text/plain multipart/related(text/html image/png))',
    'with a picture in it');
$r = create(%both, attachments => [\%pic, { blobId => $blob,
	type => 'application/pdf', disposition => 'attachment',
	name => 'a very long name of a file, longer than any line that one ' .
	    'would like to see in a header field.pdf', language => ['de', 'en'],
	location => 'http://example.org/x' }]);
is(shape($r), 'multipart/mixed(multipart/alternative(text/plain ' .
    'multipart/related(text/html image/png)) application/pdf)',
    'and an attachment');
$e = get($r->{id}, qw(attachments hasAttachment textBody htmlBody));
is($e->{hasAttachment}, $T, 'hasAttachment');
my ($pic) = grep { $_->{type} eq 'image/png' } @{ $e->{attachments} };
is($pic->{name}, $pic{name}, 'a name that is not ASCII');
is($pic->{cid}, 'pic@x', 'cid');
my ($pdf) = grep { $_->{type} eq 'application/pdf' } @{ $e->{attachments} };
like($pdf->{name}, qr/\Aa very long name.*\.pdf\z/, 'a long name');
is_deeply($pdf->{language}, ['de', 'en'], 'language');
is($pdf->{location}, 'http://example.org/x', 'location');
is($pdf->{size}, 1000, 'the blob is whole');
ok(index(octets($r->{id}) =~ s/\r\n//gr,
    MIME::Base64::encode_base64($png, '')) > 0, 'in base64');
is(shape(create(text('x'), attachments => [{ blobId => $blob,
	type => 'image/png' }])), 'multipart/mixed(text/plain image/png)',
    'text and a file');
is(shape(create(attachments => [{ blobId => $blob }])),
    'multipart/mixed(application/octet-stream)', 'a file alone');

# ---- a message in a message, and the structure given as such
my $inner = get($r->{id}, 'blobId')->{blobId};
$r = create(bodyStructure => { type => 'multipart/digest', subParts => [
	{ blobId => $inner, type => 'message/rfc822' },
	{ type => 'multipart/mixed', subParts => [
	    { partId => '7', type => 'text/x-y', 'header:X-Part' => ' v',
	        disposition => 'attachment', name => 'n' }] }] },
	bodyValues => { 7 => { value => 'seven' } });
is(shape($r),
    'multipart/digest(message/rfc822 multipart/mixed(text/x-y))',
    'bodyStructure') or diag explain $r;
like(octets($r->{id}), qr/^X-Part: v\r$/m, "a part's header field");
like(octets($r->{id}), qr/message\/rfc822\r\nContent-Transfer-Encoding: 7bit/,
    'a message is not encoded');

# RFC 8621 4.1.4: without a type, the one that MIME implies there.
my $note = $t->upload("a note\n", 'text/plain');
is(shape(create(bodyStructure => { type => 'multipart/digest',
	subParts => [{ blobId => $inner }, { partId => 't' }] },
	bodyValues => { t => { value => 'x' } })),
    'multipart/digest(message/rfc822 text/plain)', 'a message in a digest');
is(shape(create(textBody => [{ blobId => $note }])), 'text/plain',
    'a text that is a blob');
is(shape(create(htmlBody => [{ blobId => $note }])), 'text/html', 'or HTML');
is(shape(create(bodyStructure => { blobId => $note })),
    'application/octet-stream', 'but any blob is just octets');

# ---- header fields in their forms
$r = create(text('x'), 'header:X-Text:asText' => "sm\x{f8}rrebr\x{f8}d",
	'header:List-Post:asURLs' => ['mailto:a@b', 'http://x/'],
	'header:X-Raw' => " raw\r\n value",
	'header:Resent-To:asGroupedAddresses' => [
	    { name => 'Friends', addresses => [{ email => 'a@b' },
	        { name => 'C', email => 'c@d' }] },
	    { name => undef, addresses => [{ email => 'e@f' }] }],
	'header:X-Many:asText:all' => ['one', 'two'],
	'header:Resent-Date:asDate' => '2026-01-01T00:00:00Z',
	'header:Subject:asText' => '  two  blanks ');
$e = get($r->{id}, qw(header:X-Text:asText header:List-Post:asURLs
	header:X-Raw header:Resent-To:asGroupedAddresses
	header:X-Many:asText:all header:Resent-Date:asDate subject));
is($e->{'header:X-Text:asText'}, "sm\x{f8}rrebr\x{f8}d", 'asText');
is_deeply($e->{'header:List-Post:asURLs'}, ['mailto:a@b', 'http://x/'],
    'asURLs');
is($e->{'header:X-Raw'}, " raw\r\n value", 'raw');
is_deeply($e->{'header:Resent-To:asGroupedAddresses'}, [
    { name => 'Friends', addresses => [{ name => undef, email => 'a@b' },
	{ name => 'C', email => 'c@d' }] },
    { name => undef, addresses => [{ name => undef, email => 'e@f' }] }],
    'asGroupedAddresses');
is_deeply($e->{'header:X-Many:asText:all'}, ['one', 'two'], ':all');
is($e->{'header:Resent-Date:asDate'}, '2026-01-01T00:00:00Z', 'asDate');


# ---- header fields of parts
my $desc = 'header:Content-Description:asText';
$r = create(subject => 'top', bodyValues => { t => { value => 'x' } },
	bodyStructure => { type => 'multipart/mixed', 'header:X-Top' => ' 1',
	'header:Date:asDate' => '2026-01-01T00:00:00Z', subParts => [{
	partId => 't', $desc => "\x{e4}", 'header:Subject' => ' part',
	'header:Content-Disposition' => ' attachment; filename=f' }] });
$o = octets($r->{id});
is(() = $o =~ /^Date: /mg, 1, 'a Date of the whole body is the Date');
like($o, qr/^X-Top: 1\r\n(?:.*\r\n)*\r\n--/m, "the body's at the top");
$e = $t->call('Email/get', { ids => [$r->{id}], properties => ['subject',
	'bodyStructure'], bodyProperties => [$desc, 'header:Subject',
	'disposition', 'name'] })->{list}[0];
is($e->{subject}, 'top', 'the subject');
is_deeply($e->{bodyStructure}{subParts}[0], { $desc => "\x{e4}", 'header:Subject' =>
	' part', disposition => 'attachment', name => 'f' },
    'a part has fields of its own') or diag explain $e;

# ---- refused
my @bad = (
	[{ colour => 1 }, 'colour'],
	[{ id => 'E1' }, 'id'],
	[{ headers => [] }, 'headers'],
	[{ mailboxIds => {} }, 'mailboxIds'],
	[{ mailboxIds => { M99 => $T } }, 'mailboxIds'],
	[{ subject => "a\r\nBcc: x\@y" }, 'subject'],
	[{ subject => 5 }, 'subject'],
	[{ from => 'a@b' }, 'from'],
	[{ from => [{ name => 'x' }] }, 'from'],
	[{ from => [{ email => 'a@b>, <c@d' }] }, 'from'],
	[{ from => [{ email => "a\@b\r\nX: y" }] }, 'from'],
	[{ from => [{ email => 'a@b', name => "x\ny" }] }, 'from'],
	[{ sentAt => 'yesterday' }, 'sentAt'],
	[{ messageId => ['a b'] }, 'messageId'],
	[{ messageId => ['<a@b>'] }, 'messageId'],
	[{ keywords => { 'a b' => $T } }, 'keywords'],
	[{ receivedAt => '2026-01-01T00:00:00+01:00' }, 'receivedAt'],
	[{ 'header:X:asDate' => 'x' }, 'header:X:asDate'],
	[{ 'header:From:asDate' => '2026-01-01T00:00:00Z' },
	    'header:From:asDate'],
	[{ from => [{ email => 'a@b' }], 'header:from' => ' c@d' },
	    'header:from'],
	[{ 'header:Content-Type' => ' text/html' }, 'header:Content-Type'],
	[{ 'header:X-A' => " a\r\nb" }, 'header:X-A'],
	[{ 'header:X-A' => " a\nb" }, 'header:X-A'],
	[{ 'header:X-A' => " a\r\n \r\n b" }, 'header:X-A'],
	[{ 'header:X-A' => '' }, undef],
	[{ 'header:X A' => ' a' }, 'header:X A'],
	[{ 'header:X-A:all' => ' a' }, 'header:X-A:all'],
	[{ textBody => [{ partId => 'none' }] }, 'textBody'],
	[{ textBody => [] }, 'textBody'],
	[{ text('x'), textBody => [{ partId => 't', type => 'text/html' }] },
	    'textBody'],
	[{ text('x'), textBody => [{ partId => 't' }, { partId => 't' }] },
	    'textBody'],
	[{ text('x'), htmlBody => [{ partId => 't', type => 'text/plain' }] },
	    'htmlBody'],
	[{ text('x'), bodyStructure => { partId => 't' } }, 'textBody'],
	[{ text('x'), textBody => [{ partId => 't', charset => 'utf-8' }] },
	    'textBody'],
	[{ text('x'), textBody => [{ partId => 't', size => 1 }] },
	    'textBody'],
	[{ text('x'), textBody => [{ partId => 't', blobId => $blob }] },
	    'textBody'],
	[{ text('x'), textBody => [{ partId => 't',
	    'header:Content-Transfer-Encoding' => ' 8bit' }] }, 'textBody'],
	[{ text('x'), textBody => [{ partId => 't', headers => [] }] },
	    'textBody'],
	[{ bodyValues => { t => { value => 'x', isTruncated => $T } } },
	    'bodyValues'],
	[{ bodyValues => { t => { value => 5 } } }, 'bodyValues'],
	[{ attachments => [{ type => 'image/png' }] }, 'attachments'],
	[{ attachments => 5 }, 'attachments'],
	[{ attachments => [{ blobId => $blob, type => 'image' }] },
	    'attachments'],
	[{ attachments => [{ blobId => $blob, type => "a/b\r\nX: y" }] },
	    'attachments'],
	[{ attachments => [{ blobId => $blob, name => "a\nb" }] },
	    'attachments'],
	[{ attachments => [{ blobId => $blob, cid => 'a>b' }] },
	    'attachments'],
	[{ attachments => [{ blobId => $blob, disposition => 'a;b' }] },
	    'attachments'],
	[{ text('x'), textBody => [{ partId => 't', disposition => 'inline',
	    'header:Content-Disposition' => ' attachment' }] }, 'textBody'],
	[{ text('x'), textBody => [{ partId => 't',
	    'header:content-type' => ' text/plain' }] }, 'textBody'],
	[{ text('x'), subject => 'a', textBody => [{ partId => 't',
	    'header:subject' => ' b' }] }, 'textBody'],
	[{ bodyValues => { t => { value => 'x' } }, subject => 'a',
	    bodyStructure => { partId => 't', 'header:Subject' => ' b' } },
	    'bodyStructure'],
	[{ bodyValues => { t => { value => 'x' } }, bodyStructure => {
	    partId => 't', type => 'message/rfc822' } }, 'bodyStructure'],
	[{ from => [{ email => 'a:b@c' }] }, 'from'],
	[{ 'header:To:asGroupedAddresses' => [{ name => undef,
	    addresses => [] }] }, 'header:To:asGroupedAddresses'],
	[{ from => [{ email => '"a:b"@[IPv6:::1]' }] }, undef],
	[{ bodyStructure => { type => 'multipart/mixed' } }, 'bodyStructure'],
	[{ bodyStructure => { type => 'multipart/mixed', blobId => $blob,
	    subParts => [{ blobId => $blob }] } }, 'bodyStructure'],
	[{ bodyStructure => 'x' }, 'bodyStructure'],
);
for (@bad) {
	my ($o, $prop) = @$_;
	$r = create(%$o);
	my $name = $CulverJmap::json->encode($o);
	is_deeply([$r->{type}, @{ $r->{properties} || [] }],
	    defined $prop ? ['invalidProperties', $prop] : [undef], $name);
}
my $n = @{ $t->call('Email/query', {})->{ids} };
$r = create(attachments => [{ blobId => 'Gnone' }, { blobId => $blob },
	{ blobId => 'G' . 'A' x 32 }]);
is($r->{type}, 'blobNotFound', 'a blob that is not there');
is_deeply($r->{notFound}, ['Gnone', 'G' . 'A' x 32], 'all of them are named');
is(create(text('x' x 400_000))->{type}, 'tooLarge', 'too large');
is(@{ $t->call('Email/query', {})->{ids} }, $n, 'nothing came of these');

# ---- references to what a request made
my @r = $t->calls(['Mailbox/set', { create => { m => { name => 'New' } } }],
	['Email/set', { create => { e => { mailboxIds => { '#m' => $T },
	    subject => 'x' } } }],
	['Email/get', { ids => ['#e'], properties => ['mailboxIds'] }]);
is_deeply($r[2][1]{list}[0]{mailboxIds},
    { $r[0][1]{created}{m}{id} => $T }, 'into a mailbox of the same request');
done_testing();
