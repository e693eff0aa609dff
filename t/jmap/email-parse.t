# t/jmap/email-parse.t - Email/parse (RFC 8621 4.9)
use strict;
use warnings;
use utf8;
use MIME::Base64 qw(encode_base64);
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'other' },
	conf => "jmap-max-objects-in-get = 10\n");
my $T = JSON::PP::true;

sub parse { $t->call('Email/parse', { @_ }) }
sub down {
	my ($blob) = @_;
	my $r = $t->request('GET', '/jmap/download/' . $t->account
	    . "/$blob/x?type=a/b");
	return $r->{status} == 200 ? $r->{content} : $r->{status};
}

# ---- an upload
my $innermost = join "\r\n", 'Subject: innermost', 'Content-Type: text/html',
    'Content-Transfer-Encoding: base64', '', encode_base64('<b>deep</b>', ''), '';
my $encoded = join "\r\n", 'From: x@y', 'Subject: encoded',
    'Content-Type: multipart/mixed; boundary=e', '', '--e', '', 'in it', '--e',
    'Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '',
    split(/\n/, encode_base64($innermost)), '--e--', '';
my $inner = join "\r\n", 'Subject: =?utf-8?q?inner_=C3=A9?=',
    'From: "In Ner" <in@x.test>', 'Content-Type: multipart/mixed; boundary=n',
    '', '--n', 'Content-Transfer-Encoding: quoted-printable', '', 'a=3Db', '--n',
    'Content-Type: image/x', '', 'picture', '--n--', '';
my $mail = join "\r\n", 'Message-ID: <m1@x>', 'References: <r1@x> <r2@x>',
    "Subject: gr\xc3\xbcn", "From: J\xc3\xb6rg <j\xc3\xb6rg\@x.test>",
    'To: a@x.test, G: b@x.test;', 'Date: Mon, 23 Nov 2026 10:00:00 +0100',
    'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=o', '',
    '--o', 'Content-Type: text/plain; charset=iso-8859-1', '', "H\xe9llo",
    '--o', 'Content-Type: message/rfc822', '', $inner . '--o',
    'Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '',
    split(/\n/, encode_base64($encoded)), '--o--', '';
my $blob = $t->upload($mail);
my $r = parse(blobIds => [$blob]);
is($r->{accountId}, $t->account, 'accountId');
is($r->{notFound}, undef, 'nothing is missing');
is($r->{notParsable}, undef, 'and all could be parsed');
is_deeply([keys %{ $r->{parsed} }], [$blob], 'by its blobId');
my $e = $r->{parsed}{$blob};
is_deeply([sort keys %$e], [sort qw(messageId inReplyTo references sender from
	to cc bcc replyTo subject sentAt hasAttachment preview bodyValues
	textBody htmlBody attachments)], 'the properties by default');
is($e->{subject}, 'grün', 'RFC 6532: subject');
is_deeply($e->{from}, [{ name => 'Jörg', email => 'jörg@x.test' }],
    'RFC 6532: address');
is_deeply($e->{messageId}, ['m1@x'], 'messageId');
is_deeply($e->{references}, ['r1@x', 'r2@x'], 'references');
is($e->{sentAt}, '2026-11-23T10:00:00+01:00', 'sentAt');
like($e->{preview}, qr/Héllo/, 'preview');
ok($e->{hasAttachment}, 'hasAttachment');
is_deeply($e->{bodyValues}, {}, 'no values unless asked for');

# Every property, against the same message as an Email.
my $id = $t->import_mail($mail, receivedAt => '2026-01-01T00:00:00Z');
my @all = (qw(id blobId threadId mailboxIds keywords size receivedAt headers
    messageId inReplyTo references sender from to cc bcc replyTo subject sentAt
    hasAttachment preview bodyStructure bodyValues textBody htmlBody
    attachments header:Subject:asText header:from header:To:asGroupedAddresses));
my @how = (properties => \@all, fetchAllBodyValues => $T, maxBodyValueBytes => 4,
    bodyProperties => [qw(partId blobId size type charset name headers)]);
my $get = $t->call('Email/get', { ids => [$id], @how })->{list}[0];
$e = parse(blobIds => [$blob], @how)->{parsed}{$blob};
is_deeply([map { $e->{$_} } qw(id threadId mailboxIds keywords receivedAt)],
    [(undef) x 5], 'what no Email has is null');
for my $p (qw(id threadId mailboxIds keywords receivedAt)) {
	delete $get->{$p};
	delete $e->{$p};
}
is_deeply($e, $get, 'all else is as in Email/get');
is($e->{bodyValues}{1}{value}, 'Hél', 'maxBodyValueBytes');

# ---- attached messages
my ($in, $enc) = map { $_->{blobId} } @{ $get->{bodyStructure}{subParts} }[1, 2];
$r = parse(blobIds => [$in, $enc], fetchTextBodyValues => $T,
	properties => [qw(subject from size blobId bodyValues bodyStructure)]);
is_deeply([sort keys %{ $r->{parsed} }], [sort $in, $enc], 'both');
$e = $r->{parsed}{$in};
is($e->{subject}, 'inner é', 'an attached message');
is($e->{blobId}, $in, 'its blobId');
is($e->{from}[0]{name}, 'In Ner', 'from');
is($e->{size}, length($inner) - 2, 'size');
is($e->{bodyValues}{1}{value}, 'a=b', 'its text');
my @sub = @{ $e->{bodyStructure}{subParts} };
is(down($sub[0]{blobId}), 'a=b', 'the blobId of its part');
is(down($sub[1]{blobId}), 'picture', 'and of another');
$e = $r->{parsed}{$enc};
is($e->{subject}, 'encoded', 'one in base64');
is($e->{bodyValues}{1}{value}, 'in it', 'its text');
@sub = @{ $e->{bodyStructure}{subParts} };
is(down($sub[0]{blobId}), 'in it', 'the blobId of its part');
is(down($sub[1]{blobId}), $innermost, 'and of a message in base64 in it');
my $deep = $sub[1]{blobId};
is_deeply(parse(blobIds => [$deep])->{notParsable}, [$deep],
    'in which there are no blobIds any more');
is($t->call('Email/import', { emails => { k => { blobId => $deep, mailboxIds =>
	{ $t->mailbox('inbox') => $T } } } })->{notCreated}, undef,
    'but it can be imported');
# Ids that are near to these.
(my $shifted = $sub[0]{blobId}) =~ s/_(\w)/_1$1/;
for ($shifted, "$sub[0]{blobId}_0_1_0", "$sub[0]{blobId}_", "${in}_0_1_0",
    "$in$in", substr($sub[0]{blobId}, 0, -2)) {
	is(down($_), 404, "no such blob: $_");
	is_deeply(parse(blobIds => [$_])->{notFound}, [$_], 'notFound');
}

# ---- what is no message, and what is not there
my $jpeg = $t->upload("\xff\xd8\xff\xe0\0\x10JFIF\0");
my $empty = $t->upload('');
$r = parse(blobIds => [$jpeg, 'Gnothing', $blob, $empty, $jpeg, "x\0y"]);
is_deeply([keys %{ $r->{parsed} }], [$blob], 'one of them');
is_deeply($r->{notParsable}, [$jpeg, $empty], 'notParsable');
is_deeply($r->{notFound}, ['Gnothing', "x\0y"], 'notFound');
$r = parse(blobIds => []);
is_deeply([@$r{qw(parsed notParsable notFound)}], [undef, undef, undef],
    'nothing at all');

# ---- errors
is(parse()->{error}, 'invalidArguments', 'no blobIds');
is(parse(blobIds => undef)->{error}, 'invalidArguments', 'null');
is(parse(blobIds => [5])->{error}, 'invalidArguments', 'not ids');
is(parse(blobIds => [], properties => ['foo'])->{error}, 'invalidArguments',
    'no such property');
is(parse(blobIds => [], properties => ['header:From:asDate'])->{error},
    'invalidArguments', 'a form that the field does not have');
is(parse(blobIds => [], bodyProperties => ['foo'])->{error}, 'invalidArguments',
    'no such property of a part');
is(parse(blobIds => [($blob) x 11])->{error}, 'requestTooLarge', 'too many');
is(parse(accountId => 'Ax', blobIds => [])->{error}, 'accountNotFound',
    'no such account');
$t->{user} = 'bob';
$t->{pass} = 'other';
delete $t->{session};
is_deeply(parse(blobIds => [$blob])->{notFound}, [$blob], "somebody else's");

my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
