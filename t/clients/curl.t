# t/clients/curl.t - curl: LIST, EXAMINE, FETCH, SEARCH, APPEND, STORE by TLS
use strict;
use warnings;
use CulverClients;
use CulverTest;
use Test::More;

plan skip_all => 'curl is not installed' unless installed('curl');
my $t = CulverTest->new(tls => 1);
my $imap = $t->start('imapd', 'imap');
my $imaps = $t->start('imapd', 'imaps');
my $c = look($t, $imap);
mailboxes($c, 3);
my $curl = 'curl -s --max-time 20 --cacert ' . $t->path('cert.pem')
    . ' -u alice:secret';
my $url = "imaps://localhost:$imaps";
like(run_client('LIST', "$curl $url/"), qr{^\* LIST .*"/" Archive/2026\r$}m,
	'all mailboxes');
like(run_client('STATUS', "$curl $url/ -X 'STATUS Archive (MESSAGES)'"),
	qr/MESSAGES 3\)/, 'a command of choice');
is(run_client('FETCH', "$curl '$url/INBOX;UID=1'"), message(10),
	'a message, octet for octet');
like(run_client('FETCH of a section',
	"$curl '$url/INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)'"),
	qr/^Subject: message 10\r$/m, 'a section');
like(run_client('SEARCH', "$curl '$url/INBOX?SUBJECT%20%22message%2011%22'"),
	qr/^\* SEARCH 2\r$/m, 'a search');
$t->spew('new.eml', message(77));
run_client('APPEND', "$curl -T " . $t->path('new.eml') . " $url/Archive");
is(run_client('FETCH of it', "$curl '$url/Archive;UID=4'"), message(77),
	'what was appended is there');
run_client('STORE', "$curl $url/Archive -X 'STORE 4 +FLAGS (\\Flagged)'");
$c->imap('EXAMINE Archive');
my (undef, $l) = $c->imap('FETCH 4 FLAGS');
like($l, qr/\\Flagged/, 'flagged');
my $plain = "imap://localhost:$imap";
is(run_client('STARTTLS', "$curl --ssl-reqd '$plain/INBOX;UID=1'"),
	message(10), 'the same by STARTTLS');
qx($curl -u alice:wrong $url/ 2>&1);
is($? >> 8, 67, 'a wrong password: CURLE_LOGIN_DENIED');
done_testing();
