# t/imap/limit.t - MESSAGELIMIT and SAVELIMIT (RFC 9738)
use strict;
use warnings;
use CulverTest;
use Test::More;

sub server {
	my ($conf) = @_;
	my $t = CulverTest->new(users => { alice => 'secret' },
		conf => $conf);
	my $imap = $t->start('imapd', 'imap');
	return sub {
		my $c = $t->connect($imap);
		$c->imap_line;
		my ($r) = $c->imap('LOGIN alice secret');
		return ($c, $r, $t);
	};
}

my $one = "Subject: x\r\n\r\nbody\r\n";
sub fill {
	my ($c, $n) = @_;
	for (1 .. $n) {
		$c->put(sprintf "ap APPEND INBOX {%d+}\r\n%s\r\n",
			length $one, $one);
		$c->imap_until('ap');
	}
}

# What a command is answered with: its untagged lines, then the tagged one
# without the tag.
sub ask {
	my ($c, $line) = @_;
	my ($r, @u) = $c->imap($line);
	return (@u, $r =~ s/\A\S+ //r);
}
sub uids { return join ',', map { /UID (\d+)/ ? $1 : () } @_ }

my $connect = server("imap-message-limit = 4\n");
my ($c, $r, $t) = $connect->();
like($r, qr/ MESSAGELIMIT=4\b/, 'it is told of');
unlike($r, qr/SAVELIMIT/, 'and not of the other');
fill($c, 10);
ask($c, 'CREATE to');
ask($c, 'SELECT INBOX');

# FETCH
my @u = ask($c, 'FETCH 1:10 (UID FLAGS)');
is(uids(@u), '7,8,9,10', 'FETCH: the newest');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 7\] /, 'and where they end');
@u = ask($c, 'FETCH 1:10 (UID RFC822.SIZE)');
is(uids(@u), '7,8,9,10', 'FETCH from the store');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 7\] /, 'the code');
@u = ask($c, 'UID FETCH 1:3,5,8:9 RFC822.SIZE');
is(uids(@u), '3,5,8,9', 'a set with gaps');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 3\] /, 'begins within a range');
@u = ask($c, 'UID FETCH 2:5 (FLAGS)');
is(uids(@u), '2,3,4,5', 'as many as may be');
unlike($u[-1], qr/LIMIT/, 'and no code');
@u = ask($c, 'UID FETCH 1:* BODY[]');
is(scalar(grep { /\\Seen/ } @u), 4, 'only those get \Seen');
($r) = ask($c, 'UID SEARCH SEEN UID 7:10');
is($r, '* SEARCH 7 8 9 10', 'these');
@u = ask($c, 'UID FETCH 1:6 (FLAGS) (PARTIAL 1:6)');
is(uids(@u), '3,4,5,6', 'PARTIAL');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 3\] /, 'the code');

# SEARCH counts those that are looked at
@u = ask($c, 'UID SEARCH ALL');
is($u[0], '* SEARCH 7 8 9 10', 'SEARCH: the newest');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 7\] /, 'the code');
@u = ask($c, 'UID SEARCH UNSEEN');
is($u[0], '* SEARCH', 'looked at, not found');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 7\] /, 'the code');
@u = ask($c, 'UID SEARCH UID 1:6 SUBJECT x');
is($u[0], '* SEARCH 3 4 5 6', 'in a set');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 3\] /, 'the code');
@u = ask($c, 'SEARCH 2:5 BODY "body"');
is($u[0], '* SEARCH 2 3 4 5', 'a small set');
unlike($u[-1], qr/LIMIT/, 'no code');
@u = ask($c, 'SEARCH RETURN (SAVE COUNT) ALL');
like($u[0], qr/COUNT 4\z/, 'RETURN');
@u = ask($c, 'UID FETCH $ UID');
is(uids(@u), '7,8,9,10', '$ has what was found');
@u = ask($c, 'SORT (SUBJECT) UTF-8 ALL');
is_deeply([ @u[0 .. $#u - 1] ], [], 'SORT: nothing');
like($u[-1], qr/\ANO \[MESSAGELIMIT 4\] /, 'but the code');
@u = ask($c, 'SORT (SUBJECT) UTF-8 1:4');
is($u[0], '* SORT 1 2 3 4', 'SORT of few');
@u = ask($c, 'THREAD REFERENCES UTF-8 ALL');
like($u[-1], qr/\ANO \[MESSAGELIMIT 4\] /, 'THREAD');
@u = ask($c, 'ESEARCH IN (mailboxes INBOX) ALL');
like($u[-1], qr/\ANO \[MESSAGELIMIT 4\] /, 'ESEARCH');

# the keys that come with it
@u = ask($c, 'UID SEARCH UIDAFTER 7');
is($u[0], '* SEARCH 8 9 10', 'UIDAFTER');
@u = ask($c, 'UID SEARCH UIDAFTER 10');
is($u[0], '* SEARCH', 'UIDAFTER the last');
@u = ask($c, 'UID SEARCH UIDAFTER 4294967295');
is($u[0], '* SEARCH', 'UIDAFTER the greatest');
@u = ask($c, 'UID SEARCH UIDBEFORE 4');
is($u[0], '* SEARCH 1 2 3', 'UIDBEFORE');
@u = ask($c, 'UID SEARCH UIDBEFORE 1');
is($u[0], '* SEARCH', 'UIDBEFORE the first');
@u = ask($c, 'UID SEARCH NOT UIDBEFORE 9');
is($u[0], '* SEARCH 9 10', 'NOT UIDBEFORE');
@u = ask($c, 'UID SEARCH UIDAFTER 3 UIDBEFORE 6');
is($u[0], '* SEARCH 4 5', 'both');
for ('UIDAFTER', 'UIDAFTER 0', 'UIDBEFORE *', 'UIDBEFORE 1:2',
	'UIDAFTER 4294967296') {
	@u = ask($c, "UID SEARCH $_");
	like($u[-1], qr/\ABAD /, "'$_' is BAD");
}

# STORE
@u = ask($c, 'UID STORE 1:* +FLAGS (\Flagged)');
is(join(',', sort { $a <=> $b } map { /UID (\d+)/ ? $1 : () } @u),
	'7,8,9,10', 'STORE: the newest');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 7\] /, 'the code');
@u = ask($c, 'UID SEARCH FLAGGED UID 1:6');
is($u[0], '* SEARCH', 'the others have not changed');
@u = ask($c, 'UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS.SILENT (\Draft)');
ok((grep { /\A\* NO \[MESSAGELIMIT 4 7\] / } @u),
	'MODIFIED has the place: an untagged NO');
like($u[-1], qr/\AOK \[MODIFIED 7:10\] /, 'MODIFIED');

# COPY and MOVE
@u = ask($c, 'UID COPY 1:5 to');
like($u[-1], qr/\ANO \[MESSAGELIMIT 4\] /, 'COPY is refused');
@u = ask($c, 'STATUS to (MESSAGES)');
like($u[0], qr/MESSAGES 0/, 'nothing was copied');
@u = ask($c, 'UID COPY 1:4 to');
like($u[-1], qr/\AOK \[COPYUID \d+ 1:4 1:4\] /, 'COPY of few');
@u = ask($c, 'UID MOVE 1:5 to');
ok((grep { /COPYUID \d+ 2:5 5:8/ } @u), 'MOVE: the newest');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 2\] /, 'the code');
@u = ask($c, 'UID FETCH 1 UID');
is(uids(@u), '1', 'the rest is still there');

# EXPUNGE: what has \Deleted counts
ask($c, 'UID STORE 1,6,7 +FLAGS.SILENT (\Deleted)');
ask($c, 'UID STORE 9:10 +FLAGS.SILENT (\Deleted)');
@u = ask($c, 'UID EXPUNGE 1:10');
is(scalar(grep { /EXPUNGE\z/ } @u), 4, 'UID EXPUNGE: four of them');
like($u[-1], qr/\AOK \[MESSAGELIMIT 4 6\] /, 'the code');
@u = ask($c, 'UID SEARCH ALL');
is($u[0], '* SEARCH 1 8', 'what is left');
@u = ask($c, 'UID EXPUNGE 1:10');
unlike($u[-1], qr/LIMIT/, 'and goes');
@u = ask($c, 'UID SEARCH ALL');
is($u[0], '* SEARCH 8', 'now');

# APPEND
sub append {
	my ($c, $n) = @_;
	my $len = length $one;
	$c->put('ap APPEND INBOX' . " {$len+}\r\n$one" x $n . "\r\n");
	return ($c->imap_until('ap'))[0];
}
like(append($c, 5), qr/NO \[MESSAGELIMIT 4\] /, 'APPEND of five');
like(append($c, 4), qr/OK \[APPENDUID \d+ 11:14\] /, 'of four');

# many messages, with a session that has it otherwise
$connect = server("imap-message-limit = 0\nimap-save-limit = 3\n");
($c, $r, $t) = $connect->();
like($r, qr/ SAVELIMIT=3\b/, 'SAVELIMIT is told of');
unlike($r, qr/MESSAGELIMIT/, 'and not MESSAGELIMIT');
fill($c, 6);
ask($c, 'CREATE to');
ask($c, 'SELECT INBOX');
@u = ask($c, 'FETCH 1:* UID');
is(uids(@u), '1,2,3,4,5,6', 'FETCH knows no limit');
@u = ask($c, 'COPY 1:4 to');
like($u[-1], qr/\ANO \[MESSAGELIMIT 3\] /, 'COPY does');
@u = ask($c, 'COPY 2:4 to');
like($u[-1], qr/\AOK \[COPYUID /, 'COPY of three');
like(append($c, 4), qr/NO \[MESSAGELIMIT 3\] /, 'APPEND does');
@u = ask($c, 'MOVE 1:* to');
like($u[-1], qr/\AOK /, 'MOVE does not');
@u = ask($c, 'STATUS to (MESSAGES)');
like($u[0], qr/MESSAGES 9/, 'all of them');

$connect = server("imap-message-limit = 0\n");
($c, $r) = $connect->();
unlike($r, qr/(?:MESSAGE|SAVE)LIMIT/, 'neither');
done_testing();
