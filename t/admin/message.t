# t/admin/message.t - culver message: by a query as IMAP has it
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => {},
	conf => qq(folder Trash { role = "trash" }\n));
$t->culver('user', 'add', '--no-password', 'alice');

sub message {
	my $in = ref $_[0] ? shift : \'';
	return $t->culver($in, 'message', @_);
}
sub good {
	my ($rc, $out, $err) = message(@_);
	is("$rc $err", '0 ', join ' ', grep { !ref } @_);
	return $out;
}
sub json { return decode_json(good(@_)) }

# ---- save
my $big = "Subject: big one\r\nFrom: \"J\xc3\xb6rg\" <j\@x.test>\r\n\r\n"
    . ("0123456789abcdef\r\n" x 60000);
good(\"Subject: first\n\nred rose\n", 'save', 'alice', 'INBOX');
my $saved = json(\$big, 'save', '--json', '--seen', '--date',
	'2020-02-02T02:02:02Z', 'alice', 'INBOX');
is($saved->[0]{uid}, 2, 'its UID');
like($saved->[0]{id}, qr/\AE[0-9a-f]+\z/, 'its id');
good(\"Subject: third\n\ngreen rose\n", 'save', '--flagged', 'alice', 'INBOX');
is((message(\'', 'save', 'alice', 'INBOX'))[0], 100, 'nothing is no message');
is((message(\"x\n\n", 'save', 'alice', 'none'))[0], 100, 'no such mailbox');

# ---- search
is(good('search', 'alice', 'INBOX', 'ALL'),
    "1\tINBOX\n2\tINBOX\n3\tINBOX\n", 'all');
is(good('search', 'alice', 'INBOX', 'BODY', 'red rose'), "1\tINBOX\n",
    'a word with a blank is a string');
is(good('search', 'alice', 'INBOX', 'BODY "red rose"'), "1\tINBOX\n",
    'one argument is the query itself');
is(good('search', 'alice', 'INBOX', 'FROM', "J\xc3\xb6rg"), "2\tINBOX\n",
    'UTF-8');
is(good('search', 'alice', 'INBOX', 'OR', 'SUBJECT', 'a "b" \\c',
	'(SEEN LARGER 1000)'), "2\tINBOX\n", 'quotes, and a list');
is(good('search', 'alice', 'INBOX', 'BODY', 'nothing'), '', 'none');
is_deeply(json('search', '--json', 'alice', 'INBOX', 'FLAGGED'),
    [{ mailbox => 'INBOX', uid => 3 }], 'JSON');
is(good('search', '--json', 'alice', 'INBOX', 'BODY', 'nothing'), "[]\n",
    'no JSON objects');
for (['alice', 'INBOX', 'COLOR'], ['alice', 'none', 'ALL'],
    ['alice', 'INBOX', "ALL\r\nx LOGOUT"], ['alice', 'INBOX', '('],
    ['nobody', 'INBOX', 'ALL'], ['alice', 'INBOX']) {
	my ($rc, $out, $err) = message('search', @$_);
	isnt($rc, 0, "@$_: refused");
	isnt($err, '', 'and why');
	is($out =~ s/\[\]\n//r, '', 'nothing else');
}

# ---- fetch
my $out = good('fetch', 'alice', 'INBOX', 'SEEN');
like($out, qr/\Amailbox: INBOX\nuid: 2\nflags: \\Seen\ndate: 2-Feb-2020/,
    'fields') or diag($out);
is(good('fetch', '--raw', 'alice', 'INBOX', 'SEEN'), $big, 'octets');
my $f = json('fetch', '--json', '--body', 'alice', 'INBOX', 'UID', '1:2');
is($f->[0]{text}, "Subject: first\r\n\r\nred rose\r\n", 'text');
is_deeply($f->[0]{flags}, [], 'looking marks nothing as read');
is(length $f->[1]{text}, length(decode_utf8_len($big)), 'all of it');
is($f->[1]{size}, length $big, 'size');
like(good('fetch', '--header', 'alice', 'INBOX', 'UID', '1'),
    qr/^size: 28\n\nSubject: first\r\n\r\n\n\z/m, 'the header');

# ---- flag
good('flag', '--add', '\\Seen $Work', '--remove=\\Flagged', 'alice', 'INBOX',
    'BODY', 'rose');
is(good('search', 'alice', 'INBOX', 'KEYWORD', '$Work'),
    "1\tINBOX\n3\tINBOX\n", 'a keyword');
is(good('search', 'alice', 'INBOX', 'FLAGGED'), '', 'a flag taken');
is_deeply(json('flag', '--json', '--set=\\Answered', 'alice', 'INBOX', 'UID',
	'1'), [{ mailbox => 'INBOX', messages => 1 }], 'counted');
is(good('search', 'alice', 'INBOX', 'ANSWERED', 'UNSEEN'), "1\tINBOX\n",
    'set');
for (['--add', ')', 'alice', 'INBOX', 'ALL'], ['alice', 'INBOX', 'ALL'],
    ['--add', '\\Bogus', 'alice', 'INBOX', 'ALL']) {
	is((message('flag', @$_))[0], 100, "@$_: refused");
}

# ---- move, copy, expunge; all mailboxes
good('copy', 'alice', 'INBOX', 'Trash', 'BODY', 'red');
is(good('search', 'alice', '*', 'BODY', 'red'), "1\tINBOX\n1\tTrash\n",
    'in both');
good('move', 'alice', '*', 'Trash', 'BODY', 'rose');
is(good('search', 'alice', '*', 'ALL'),
    "2\tINBOX\n1\tTrash\n2\tTrash\n3\tTrash\n", 'moved');
is((message('move', 'alice', 'INBOX', 'none', 'ALL'))[0], 100, 'to nowhere');
like(good('expunge', 'alice', 'Trash', 'BODY', 'green'), qr/^ +1  Trash$/m,
    'expunge');
is(good('search', 'alice', 'Trash', 'ALL'), "1\tTrash\n2\tTrash\n",
    'the others stay');
is_deeply(json('expunge', '--json', 'alice', '*', 'ALL'),
    [{ mailbox => 'INBOX', messages => 1 },
	{ mailbox => 'Trash', messages => 2 }], 'all');
is(good('search', 'alice', '*', 'ALL'), '', 'are gone');
done_testing;

sub decode_utf8_len { my $s = shift; utf8::decode($s); return $s }
