# t/imap/unauthenticate.t - UNAUTHENTICATE (RFC 8437): plain and in TLS
use strict;
use warnings;
use CulverTest;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $t = CulverTest->new(tls => 1,
	users => { alice => 'secret', bob => 'geheim' });
my %port = (plain => $t->start('imapd', 'imap'),
	TLS => $t->start('imapd', 'imaps'));

for my $how (qw(plain TLS)) {
	my $c = $t->connect($port{$how}, tls => $how eq 'TLS');
	like($c->imap_line, qr/\A\* OK /, "$how: greeting");
	my ($r, @u) = $c->imap('UNAUTHENTICATE');
	like($r, qr/ BAD log in first/, 'not before login');
	($r) = $c->imap('LOGIN alice secret');
	like($r, qr/ OK .* UNAUTHENTICATE /, 'offered after login');
	$c->imap('ENABLE QRESYNC IMAP4rev2');
	$c->imap('COMPARATOR -i;octet');
	$c->imap('CREATE alice-only');
	$c->imap("APPEND INBOX (\\Deleted) {12+}\r\nSubject: x\r\n");
	$c->imap('SELECT INBOX');
	$c->imap('SEARCH RETURN (SAVE) ALL');
	($r) = $c->imap('UNAUTHENTICATE now');
	like($r, qr/ BAD /, 'no arguments');
	($r, @u) = $c->imap('UNAUTHENTICATE');
	like($r, qr/\Aa\d+ OK /, 'done');
	is_deeply(\@u, [], 'and nothing else is said');
	($r) = $c->imap('LIST "" *');
	like($r, qr/ BAD log in first/, 'the user is gone');
	(undef, @u) = $c->imap('CAPABILITY');
	like($u[0], qr/ AUTH=PLAIN/, 'as before login');
	$how eq 'TLS' ? unlike($u[0], qr/STARTTLS/, 'TLS goes on')
	    : like($u[0], qr/STARTTLS/, 'STARTTLS is possible');

	# another user, pipelined behind it
	($r) = $c->imap('LOGIN alice secret');
	like($r, qr/ OK /, 'again');
	my $plain = encode_base64("\0bob\0geheim", '');
	$c->put("x UNAUTHENTICATE\r\ny AUTHENTICATE PLAIN $plain\r\n" .
	    "z LIST \"\" *\r\n");
	like($c->imap_line, qr/\Ax OK /, 'pipelined');
	like($c->imap_line, qr/\Ay OK /, 'another user');
	like($c->imap_line, qr/\A\* LIST .* INBOX\z/, 'his mailboxes');
	like($c->imap_line, qr/\Az OK /, 'and none of the first one');
	(undef, @u) = $c->imap('COMPARATOR');
	is($u[0], '* COMPARATOR i;unicode-casemap', 'the default comparator');
	($r) = $c->imap('FETCH 1 FLAGS');
	like($r, qr/ BAD /, 'no mailbox is selected');
	(undef, @u) = $c->imap('SELECT INBOX');
	ok((grep { $_ eq '* 0 RECENT' } @u), 'nothing is enabled any more');
	($r, @u) = $c->imap('SEARCH $');
	is_deeply(\@u, ['* SEARCH'], 'no search is saved');
	$c->imap('UNAUTHENTICATE');
	$c->imap('LOGIN alice secret');
	(undef, @u) = $c->imap('STATUS INBOX (MESSAGES)');
	like($u[0], qr/MESSAGES [12]\b/, 'nothing was expunged');

	# failed logins count as before
	$c->imap('UNAUTHENTICATE');
	($r) = $c->imap('LOGIN alice wrong');
	like($r, qr/ NO \[AUTHENTICATIONFAILED\]/, 'a wrong password');
	($r) = $c->imap('LOGIN bob geheim');
	like($r, qr/ OK /, 'a right one');
	$c->imap('LOGOUT');
}

# compression can't be taken off: the connection ends
my $c = $t->connect($port{plain});
$c->imap_line;
$c->imap('LOGIN alice secret');
my ($r) = $c->imap('COMPRESS DEFLATE');
like($r, qr/ OK /, 'compressed');
require Compress::Raw::Zlib;
my ($z) = Compress::Raw::Zlib::Deflate->new(-WindowBits => -15,
	-AppendOutput => 1);
my $out = '';
$z->deflate("q UNAUTHENTICATE\r\n", $out);
$z->flush($out, Compress::Raw::Zlib::Z_SYNC_FLUSH());
$c->put($out);
my ($i) = Compress::Raw::Zlib::Inflate->new(-WindowBits => -15);
my ($in, $text) = ($c->rest, '');
$i->inflate($in, $text);
like($text, qr/\A\* BYE /, 'BYE, never NO');
done_testing();
