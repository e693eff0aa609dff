# t/session/trace.t - trace-accounts: one account's sessions in files
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use CulverJmap;
use Test::More;

my $t = CulverJmap->new(users => { alice => 'secret-a', bob => 'secret-b' },
	login => ['alice', 'secret-a'], conf => <<'END');
trace-accounts = {"alice", "carol"}
trace-dir = "@DIR@/run"
trace-size = 12K
END
$t->start('imapd', 'imap');
$t->start('imapd', 'imaps');
$t->start('pop3d', 'pop3');
my $imap = $t->{port}{imap};

sub traces { sort glob $t->path("run/$_[0]*") }

sub newest {
	my ($what) = @_;
	for (1 .. 200) {
		my ($file) = sort { (stat $b)[9] <=> (stat $a)[9] || $b cmp $a }
		    traces($what);
		if ($file) {
			open(my $fh, '<:raw', $file) or die;
			local $/;
			my $text = <$fh>;
			return ($text, $file) if $text =~ /$_[1]/;
		}
		select(undef, undef, undef, 0.02);
	}
	return '';
}

# Client and server, from after the login on.
my $s = $t->connect($imap);
$s->put("a LOGIN alice secret-a\r\nb SELECT INBOX\r\nc APPEND INBOX {6+}\r\nabc\r\n"
	. "\x80\r\nd UNAUTHENTICATE\r\ne LOGIN bob secret-b\r\nf NOOP\r\n"
	. "g UNAUTHENTICATE\r\nh LOGIN alice secret-a\r\ni LOGOUT\r\n");
my $all = $s->rest;
like($all, qr/^i OK/m, 'a session of alice, bob and alice');
is(scalar(my @f = traces('alice.imap.')), 2, 'a file for each login of alice');
is_deeply([ traces('bob') ], [], 'none of bob\'s');
is((stat $f[0])[2] & 07777, 0600, 'readable by its owner alone');
my $text = join '', map { $t->slurp(s{.*/}{run/}r) } @f;
unlike($text, qr/secret|LOGIN (?:alice|bob)/, 'no passwords');
like($text, qr/^[\d:.]+ peer \d+\n127\.0\.0\.1:\d+\n/, 'from where');
like($text, qr/^[\d:.]+ C \d+\n(?:.*\n)*?b SELECT INBOX\n/m, 'the client');
like($text, qr/^[\d:.]+ S \d+\n(?:.*\n)*?b OK /m, 'the server');
like($text, qr/\\x80/, 'octets that a terminal can\'t show');
unlike($text, qr/^f NOOP/m, 'nothing of bob\'s');
like($text, qr/^i LOGOUT/m, 'the end');

# TLS, large pieces, the bound.
my $big = 'x' x 60000;
$s = $t->connect($t->{port}{imaps}, tls => 1);
$s->put("a LOGIN alice secret-a\r\nb APPEND INBOX {" . length($big) . "+}\r\n$big\r\n"
	. "c SELECT INBOX\r\nd FETCH * BODY.PEEK[]\r\ne LOGOUT\r\n");
like($s->rest, qr/^e OK/m, 'a large message');
($text) = newest('alice.imap.', qr/LOGOUT|trace-size/);
like($text, qr/^\.\.\. \d+ octets are not shown$/m, 'not all of it');
cmp_ok(length $text, '<', 12 * 1024 + 100, 'the file is bounded');
unlike($text, qr/x{3000}/, 'the beginning alone');
for (1 .. 3) {
	$s = $t->connect($imap);
	$s->put("a LOGIN alice secret-a\r\n" . ("b STATUS INBOX (MESSAGES)\r\n" x 400)
		. "e LOGOUT\r\n");
	like($s->rest, qr/^e OK/m, 'many commands');
}
($text) = newest('alice.imap.', qr/the file has the size of trace-size\n\z/);
like($text, qr/trace-size\n\z/, 'it says why it ends');
cmp_ok(length $text, '<=', 12 * 1024 + 100, 'and is no larger');

# The others.
$s = $t->connect($t->{port}{pop3});
$s->put("USER alice\r\nPASS secret-a\r\nSTAT\r\nQUIT\r\n");
like($s->rest, qr/^\+OK .*\+OK /ms, 'POP3');
($text) = newest('alice.pop3.', qr/QUIT/);
like($text, qr/^STAT\n/m, 'POP3 is traced');
unlike($text, qr/secret/, 'without its password');
my $r = $t->call('Mailbox/get', { ids => undef });
($text) = newest('alice.jmap.', qr/Mailbox/);
like($text, qr/^[\d:.]+ C \d+\n.*Mailbox\/get/m, 'a request of JMAP');
like($text, qr/^[\d:.]+ S \d+\n.*methodResponses/m, 'its answer');
unlike($text, qr/c2VjcmV0|secret/, 'without the password');

# Where it can't be written, all goes on.
my $u = CulverTest->new(users => { alice => 'secret-a' }, conf => <<'END');
trace-accounts = {"*"}
trace-dir = "@DIR@/none"
END
$s = $u->connect($u->start('imapd', 'imap'));
$s->put("a LOGIN alice secret-a\r\nb LOGOUT\r\n");
like($s->rest, qr/^b OK/m, 'no directory: a session');
like($u->slurp('log'), qr{/none/alice\.imap\S+: No such file}, 'and a warning');
done_testing;
