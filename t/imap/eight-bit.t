# t/imap/eight-bit.t - octets above 0x7f in headers: what a client that didn't
# enable UTF8=ACCEPT gets must stay within the grammar of RFC 3501
use strict;
use warnings;
use CulverTest;
use Test::More;

# One response as a tree: atoms and strings as [type, octets], lists as arrays.
# Dies where it leaves the grammar.
sub parse {
	my ($r, $depth) = @_;
	my @v;
	for (;;) {
		if ($$r =~ /\G\(/gc) {
			push @v, parse($r, $depth + 1);
		} elsif ($$r =~ /\G\)/gc) {
			die "unbalanced ')'\n" if $depth == 0;
			return \@v;
		} elsif ($$r =~ /\G"((?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*)"/gc) {
			push @v, [ string => $1 =~ s/\\(.)/$1/gr ];
		} elsif ($$r =~ /\G\{(\d+)\}\r\n/gc) {
			my $s = substr($$r, pos $$r, $1);
			die "short literal\n" if length $s != $1;
			die "NUL in a literal\n" if $s =~ /\0/;
			pos($$r) += $1;
			push @v, [ literal => $s ];
		} elsif ($$r =~ /\G[^\x00-\x20\x7f-\xff(){"]+/gc) {
			push @v, [ atom => $& ];
		} elsif ($$r =~ /\G\z/gc) {
			die "unbalanced '('\n" if $depth > 0;
			return \@v;
		} else {
			die sprintf "octet 0x%02x at %d\n",
			    ord substr($$r, pos($$r) || 0, 1), pos($$r) || 0;
		}
		$$r =~ /\G /gc;
	}
}

sub tree {
	my ($r) = @_;
	pos($r) = 0;
	my $t = eval { parse(\$r, 0) };
	diag($@, $r) unless $t;
	return $t;
}

my $mail = <<"END" =~ s/\n/\r\n/gr;
From: J\xf6rg <j\xf6rg\@ex\xe4mple.org>
Sender: "\xe4\\" \\\\ \xff" <s\@example.org>
To: "Gr\xc3\xbcn" <gr\xc3\xbcn\@example.org>, =?utf-8?q?J=C3=B6?= <j\@example.org>
Cc: Stra\xdfe: a\@example.org, <\x80\xfe\@example.org>;
Subject: Gr\xfc\xdfe "q" \\ \x80\xff
Message-ID: <\xe9\@example.org>
In-Reply-To: <\xc3\xa9\@example.org>
Date: Mon, 7 Feb 1994 21:52:25 -0800 (P\xe4zific)
Content-Type: multipart/m\xefxed; boundary=b; x="\xfc"
Content-Description: Beschreibung \xfc

--b
Content-Type: text/pl\xe4in; charset=l\xe4tin; name="\xdf.txt"; \xe4=b
Content-Disposition: att\xe4chment; filename="Stra\xdfe.txt"
Content-Description: \xfcber
Content-ID: <\xfc\@x>
Content-MD5: \xfc
Content-Language: d\xeb, \xff
Content-Location: \xfc.html
Content-Transfer-Encoding: b\xe4se

one \xfc
--b
Content-Type: message/rfc822

Subject: \xfc
From: \xe4 <\xf6\@\xfc>

two
--b--
END
my $t = CulverTest->new;
my $c = $t->connect($t->start('imapd', 'imap'));
$c->imap_line;
sub ok_cmd {
	my ($cmd, $name) = @_;
	my ($r, @u) = $c->imap($cmd);
	like($r // 'nothing', qr/\Aa\d+ OK/, $name // $cmd);
	return @u;
}
ok_cmd('LOGIN alice secret');
ok_cmd('APPEND INBOX {' . length($mail) . "+}\r\n$mail", 'APPEND');
ok_cmd('SELECT INBOX');

my ($r) = ok_cmd('FETCH 1 ENVELOPE');
my $e = tree($r)->[3][1];
is(scalar @$e, 10, 'ENVELOPE has ten members');
is($e->[1][1], "Gr\xfc\xdfe \"q\" \\ \x80\xff", 'the subject, octet for octet');
is($e->[1][0], 'literal', '... in a literal');
is($e->[2][0][0][1], "J\xf6rg", 'a name');
is($e->[2][0][2][1], "j\xf6rg", 'a local part');
is($e->[2][0][3][1], "ex\xe4mple.org", 'a domain');
is($e->[3][0][0][1], "\xe4\" \\ \xff", 'quoted specials');
is($e->[5][1][0][1], '=?utf-8?q?J=C3=B6?=', 'an encoded word stays as it is');
is($e->[6][0][2][1], "Stra\xdfe", 'a group');
is($e->[9][1], "<\xe9\@example.org>", 'the Message-ID');

for my $what ('BODY', 'BODYSTRUCTURE', 'BODY[HEADER]', 'BODY[2.HEADER]',
    'BODY[HEADER.FIELDS (SUBJECT FROM)]', 'BODY[1.MIME]', 'RFC822.HEADER',
    'BODY[1]<0.5>', 'PREVIEW', 'FULL') {
	($r) = ok_cmd("FETCH 1 $what");
	ok(tree($r), "$what: within the grammar");
}
($r) = ok_cmd('FETCH 1 BODYSTRUCTURE');
my $b = tree($r)->[3][1];
is($b->[0][9][1][1][1], "Stra\xdfe.txt", 'the file name, octet for octet');
is($b->[0][2][1][1], "l\xe4tin", 'a charset');
is($b->[1][7][1][1], "\xfc", 'the subject of a message within');

# Searching finds it, in UTF-8, where it is UTF-8.
($r) = ok_cmd("SEARCH CHARSET UTF-8 TO {5+}\r\ngr\xc3\xbcn");
is($r, '* SEARCH 1', 'found by its UTF-8');
# With UTF8=ACCEPT the answers are in the grammar of RFC 6855 or in literals.
ok_cmd('ENABLE UTF8=ACCEPT');
($r) = ok_cmd('FETCH 1 (ENVELOPE BODYSTRUCTURE)');
$r =~ s/"((?:[^"\\]|\\.)*)"/my $q = $1; utf8::decode($q) ? '"q"' : $&/ge;
ok(tree($r), 'UTF8=ACCEPT: quoted strings are UTF-8');
done_testing();
