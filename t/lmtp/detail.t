# t/lmtp/detail.t - user+folder@: mail for a folder
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use Test::More;

my $t = CulverTest->new(users => { alice => 'x', bob => 'x' });
my $conf = $t->slurp('culver.conf');
my $port = $t->start('lmtpd', 'lmtp');
my $imap = $t->start('imapd', 'imap');

sub mode { $t->spew('culver.conf', "lmtp-detail-folder = $_[0]\n$conf") }

# Delivers to each address; the codes of the answers.
sub deliver {
	my ($subject, @to) = @_;
	my $c = $t->connect($port);
	$c->get;
	$c->line('LHLO client.test');
	1 while $c->get !~ /\A250 /;
	$c->ask('MAIL FROM:<sender@example.org> SMTPUTF8');
	my $n = grep { $c->ask("RCPT TO:<$_>") =~ /\A250 / } @to;
	$c->ask('DATA');
	$c->put("Subject: $subject\r\n\r\n.\r\n");
	my @a = map { substr $c->get, 0, 3 } 1 .. $n;
	$c->ask('QUIT');
	return "@a";
}

my $c = $t->connect($imap);
$c->get;
sub imap { $c->imap($_[0]) }
like((imap('LOGIN alice x'))[-1], qr/OK/, 'login');
imap($_) for 'CREATE Lists', 'CREATE Lists/Culver', 'CREATE "Two words"',
    'CREATE news', 'CREATE News', 'CREATE "&AMQ-pfel"';

# How many messages are in each mailbox that has some.
sub where {
	my @m;
	for my $m ('INBOX', 'Lists', 'Lists/Culver', '"Two words"', 'news',
		'News', '"&AMQ-pfel"') {
		my ($s) = grep { /STATUS/ } imap("STATUS $m (MESSAGES)");
		my ($n) = $s =~ /MESSAGES (\d+)/;
		push @m, "$m=$n" if $n > 0;
	}
	return "@m";
}

is(deliver('off', 'alice+Lists'), '250', 'off: accepted');
is(where(), 'INBOX=1', 'off: to the inbox');

mode('any');
is(deliver('any', 'alice+Lists', 'alice+lists/culver', '"alice+two words"',
	'alice+nowhere', 'alice+', 'alice+../bob', 'alice+Lists/'),
	'250 250 250 250 250 250 250', 'any: accepted');
is(where(), 'INBOX=2 Lists=1 Lists/Culver=1 "Two words"=1',
	'any: in the folders, and once in the inbox for all others');
deliver('case', "alice+news");
deliver('case', "alice+News");
deliver('case', "alice+NEWS");
like(where(), qr/ news=1 News=2\z| news=2 News=1\z/,
	'the very same name goes first, else any case');
deliver('utf-8', "alice+\xc3\xa4PFEL");
like(where(), qr/ "&AMQ-pfel"=1\z/, 'letters beyond ASCII, too');
is(deliver('twice', 'alice+Lists', 'alice+LISTS', 'alice'), '250 250 250',
	'a folder by two names');
like(where(), qr/\AINBOX=3 Lists=2 /, 'gets it once, and the inbox');

mode('posted');
deliver('closed', 'alice+Lists');
like(where(), qr/\AINBOX=4 Lists=2 /, 'posted: nobody may');
imap('SETACL Lists anyone +p');
deliver('open', 'alice+Lists', 'alice+news');
like(where(), qr/\AINBOX=5 Lists=3 /, 'posted: anyone may');
imap('SETACL Lists -anyone +p');
deliver('taken', 'alice+Lists');
like(where(), qr/\AINBOX=6 Lists=3 /, 'posted: what is taken again');
imap('SETACL Lists anyone -p');
imap('DELETEACL Lists -anyone');
imap('SETACL Lists bob +p');
deliver('bob', 'alice+Lists');
like(where(), qr/\AINBOX=7 Lists=3 /, 'posted: another user is not anyone');

# Each has its name on it; blind copies stay blind.
imap('SELECT Lists/Culver');
my $head = join '', imap('FETCH 1 BODY[HEADER]');
like($head, qr/^Delivered-To: alice\+lists\/culver\r$/m, 'Delivered-To');
unlike($head, qr/nowhere|words/, 'and nobody else');
imap('LOGOUT');
$t->stop;
unlike($t->slurp('stderr'), qr/Sanitizer|runtime error/, 'sanitizers');
done_testing();
