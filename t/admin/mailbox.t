# t/admin/mailbox.t - culver mailbox: made, renamed, subscribed, deleted
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret' });
my $imap = $t->start('imapd', 'imap');
my $c = $t->connect($imap);
$c->get;
like(($c->imap('LOGIN alice secret'))[0], qr/ OK/, 'in');

sub mailbox { return $t->culver('mailbox', @_) }
sub good {
	my ($rc, $out, $err) = mailbox(@_);
	is("$rc $err", '0 ', "@_");
	return $out;
}

good('create', 'alice', 'Work/Travel', "B\xc3\xbccher");
my (undef, @l) = $c->imap('LIST (SUBSCRIBED) "" *');
is(scalar(grep { m{Work/Travel|&APw-|B\xc3\xbccher} } @l), 2,
    'who can see only what is subscribed sees them') or diag(@l);
my $made = decode_json(good('create', '--json', '--role=archive', 'alice',
	'Old'));
is($made->[0]{path}, 'Old', 'JSON tells the path');
like($made->[0]{id}, qr/\AM[0-9a-f]+\z/, 'and the id');
my $s = decode_json(good('status', '--json', 'alice', 'Old', 'inbox'));
is(@$s, 2, 'status of two');
is($s->[0]{role}, 'archive', 'the role');
is($s->[0]{id}, $made->[0]{id}, 'the same id');
is($s->[1]{path}, 'INBOX', 'the other one');
ok($s->[0]{subscribed}, 'subscribed');

good('unsubscribe', 'alice', 'Old');
$s = decode_json(good('status', '--json', 'alice', 'Old'));
ok(!$s->[0]{subscribed}, 'no more');
good('subscribe', 'alice', 'Old');
good('rename', 'alice', 'Work', 'Job/Now');
like(good('list', 'alice'), qr{ Job/Now/Travel$}m, 'children move along');

# What has mail in it isn't lost by a slip.
$c->put("x1 APPEND Old {14+}\r\nSubject: x\r\n\r\n\r\n");
like(($c->imap_until('x1'))[0], qr/ OK/, 'a message');
my ($rc, $out, $err) = mailbox('delete', 'alice', 'Old');
is($rc, 100, 'not what has mail');
isnt($err, '', 'and why');
good('status', 'alice', 'Old');
good('delete', '--with-mail', 'alice', 'Old');
like(($t->culver('undelete', '--list', 'alice'))[1] // '', qr/Old/,
    'undelete still has it');
for (['create', 'alice', 'INBOX'], ['create', 'alice', "a\nb"],
    ['create', '--role=boss', 'alice', 'x'],
    ['rename', 'alice', 'none', 'x'], ['delete', 'alice', 'Job'],
    ['delete', 'alice', 'INBOX'], ['delete', 'alice', 'none'],
    ['status', 'alice', 'none'], ['status', 'alice'],
    ['subscribe', 'alice', 'none'], ['create', 'nobody', 'x']) {
	($rc, $out, $err) = mailbox(@$_);
	is($rc, 100, "@$_: refused");
	isnt($err, '', 'and why');
}
($rc, $out) = mailbox('create', '--json', 'alice', 'INBOX', 'New2');
is($rc, 100, 'one of two');
is(@{ decode_json($out) }, 1, 'the other is done, and JSON is whole');
done_testing;
