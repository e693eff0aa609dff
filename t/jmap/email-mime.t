# t/jmap/email-mime.t - Email/set create makes standards-correct MIME: many
# random Emails, read over IMAP, by Python's email package and by ourselves
use strict;
use warnings;
use utf8;
use Test::More;
use CulverJmap;
use Encode qw(decode encode);
use IPC::Open2 qw(open2);
use MIME::Base64 qw(encode_base64);

plan skip_all => 'no python3' if system('python3 -c "" 2>/dev/null') != 0;
my $t = CulverJmap->new(users => { alice => 'secret' });
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $inbox = $t->mailbox('inbox');
my $seed = $ENV{CULVER_SEED} // 42;
my $rounds = $ENV{CULVER_LONG} ? 3000 : 120;
srand $seed;
my $js = $CulverJmap::json;

# ---- another reader of mail: one message in base64 a line, one line of JSON
my $py = $t->spew('reader.py', <<'PY');
import base64, email, email.policy, hashlib, json, sys

def addresses(m, name):
    h = m[name]
    if h is None:
        return None
    return [[a.display_name, a.addr_spec] for a in h.addresses]

def part(p):
    if p.is_multipart() and p.get_content_maintype() == "multipart":
        return [p.get_content_type(), [part(q) for q in p.iter_parts()]]
    if p.get_content_maintype() == "text":
        body = p.get_content().replace("\r\n", "\n")
    elif p.get_content_maintype() == "message":
        body = p.get_content()["Subject"]
    else:
        body = hashlib.sha256(p.get_content()).hexdigest()
    return [p.get_content_type(), body, p.get_filename(),
        p.get_content_disposition(), p["Content-ID"]]

for line in sys.stdin:
    m = email.message_from_bytes(base64.b64decode(line),
        policy=email.policy.default)
    defects = [str(d) for q in m.walk() for d in q.defects]
    r = {"subject": m["Subject"], "date": m["Date"].datetime.isoformat(),
        "id": str(m["Message-ID"]), "defects": defects, "tree": part(m)}
    for name in ("From", "To", "Cc", "Reply-To"):
        r[name] = addresses(m, name)
    out = json.dumps(r, ensure_ascii=False)
    sys.stdout.buffer.write(out.encode("utf-8", "surrogateescape") + b"\n")
    sys.stdout.buffer.flush()
PY
my $pid = open2(my $from, my $to, 'python3', $py);
END { local $?; close $to if $to; waitpid $pid, 0 if $pid }
sub python {
	my ($octets) = @_;
	print $to encode_base64($octets, ''), "\n";
	$to->flush;
	return $js->decode(scalar(<$from>) // return undef);
}

# ---- random texts
sub any { $_[rand @_] }
my @words = (qw(the quick brown fox Re: jumps over a lazy dog 100% a=b _x_),
	qw(Grüße Straße naïve café), '日本語', 'テスト', 'Привет', 'мир', '😀',
	'👩‍👩‍👧', '=?utf-8?Q?no?=', '=?', '?=', '"quoted"',
	'back\\slash', '(comment)', 'a,b', 'x;y', '<z>', 'שלום', 'ab@cd', '[x]',
	':', '.', 'x' x 70, 'ü' x 60);
sub words {
	my ($n) = @_;
	return join ' ', map { any(@words) } 1 .. 1 + rand $n;
}
sub body {
	my $text = join '', map { any('', '', '.', 'From ', ' ', "\t", '--',
		'> ') . words(12) . any('', '', ' ', "\t") . "\n" } 0 .. rand 9;
	$text .= 'y' x 3000 . "\n" if rand() < 0.05;
	return $text . (rand() < 0.2 ? 'no line end' : '');
}
sub address {
	my $local = any('a', 'bob.smith', 'x+y', '"a b"', '"q\\"q"', "o'neil",
		'a-very-long-local-part-of-an-address', 'jürgen');
	return { name => rand() < 0.3 ? undef : words(6), email =>
	    "$local\@" . any('example.org', 'x.test', '[127.0.0.1]') };
}
my %blob = map { my $octets = join '', map { chr rand 256 } 1 .. $_;
	$t->upload($octets, 'application/x-any') => $octets } 1, 57, 3000;
my $inner = $t->upload("Subject: inner\r\n\r\ntext\r\n");
my $k = 0;
my %value;
sub leaf {
	my ($type) = @_;
	my $id = 'p' . $k++;
	$value{$id} = { value => body() };
	return { partId => $id, type => $type // any('text/plain', 'text/html',
	    'text/x-any') };
}
sub file {
	return { blobId => $inner, type => 'message/rfc822' }
	    if rand() < 0.1;
	return { blobId => any(sort keys %blob),
		type => any('image/png', 'application/pdf', 'audio/x-y'),
		rand() < 0.7 ? (name => words(6)) : (),
		rand() < 0.7 ? (disposition => any('attachment', 'inline')) : (),
		rand() < 0.3 ? (cid => "c$k\@x.test") : () };
}
sub tree {
	my ($depth) = @_;
	return any(leaf(), file()) if $depth == 0 || rand() < 0.4;
	return { type => 'multipart/' . any(qw(mixed alternative related)),
		subParts => [map { tree($depth - 1) } 0 .. rand 3] };
}
sub random_email {
	%value = ();
	my %e = (mailboxIds => { $inbox => $T },
		from => [address()], to => [map { address() } 0 .. rand 9],
		subject => words(25),
		sentAt => sprintf('20%02d-%02d-%02dT%02d:%02d:%02d%s', rand 40,
		    1 + rand 12, 1 + rand 28, rand 24, rand 60, rand 60,
		    any('Z', '+05:30', '-11:00')));
	$e{cc} = [map { address() } 0 .. rand 3] if rand() < 0.3;
	$e{references} = [map { "r$_-" . 'z' x (rand 60) . '@x' } 0 .. rand 20]
	    if rand() < 0.3;
	$e{messageId} = ['id' . int(rand 1e9) . '@x.test'] if rand() < 0.5;
	$e{'header:Reply-To:asGroupedAddresses'} = [map { { name => $_,
		addresses => [map { address() } 0 .. rand 3] } } words(4),
		undef] if rand() < 0.3;
	if (rand() < 0.5) {
		$e{textBody} = [leaf('text/plain')] if rand() < 0.8;
		$e{htmlBody} = [leaf('text/html')] if rand() < 0.6;
		$e{attachments} = [map { file() } 0 .. rand 3]
		    if rand() < 0.5;
	} else {
		$e{bodyStructure} = tree(3);
	}
	$e{bodyValues} = { %value };
	return \%e;
}

# ---- what comes back
my $imap = $t->connect($t->start('imapd', 'imap'));
$imap->imap_line;
$imap->imap('LOGIN alice secret');
$imap->imap('SELECT INBOX');
sub octets {
	$imap->imap('NOOP');
	my (undef, $l) = $imap->imap('FETCH * BODY.PEEK[]');
	return $l =~ /\{(\d+)\}\r\n/ ? substr($l, $+[0], $1) : '';
}

# Complaints about the octets themselves.
sub lint {
	my ($o, $eai) = @_;
	my ($head) = $o =~ /\A(.*?\r\n)\r\n/s;
	my @bad;
	push @bad, 'not 7 bit' if $o =~ /[^\x09\x0d\x0a\x20-\x7e]/ && !$eai;
	push @bad, 'bare CR or LF' if $o =~ /(?<!\r)\n|\r(?!\n)/;
	push @bad, 'long line' if $o =~ /[^\r\n]{999}/;
	push @bad, 'blank line folded' if $head =~ /\r\n[ \t]+\r\n/;
	for my $l (split /\r\n/, $head) {
		push @bad, "a line of an encoded word: $l"
		    if $l =~ /=\?utf-8\?/ && length $l > 76;
	}
	push @bad, 'long encoded word' if grep { length > 75 }
	    $head =~ /(=\?utf-8\?[QB]\?[^? ]*\?=)/g;
	my %seen;
	$seen{lc $_}++ for $head =~ /^([^\s:]+):/mg;
	push @bad, map { "$_ twice" } grep { $seen{$_} > 1 } sort keys %seen;
	push @bad, "no $_" for grep { !$seen{$_} } qw(date message-id
	    mime-version content-type);
	return @bad;
}
sub leaves {
	my ($p) = @_;
	return ref $p->[1] ? map { leaves($_) } @{ $p->[1] } : $p;
}
sub given {
	my ($p) = @_;
	return map { given($_) } @{ $p->{subParts} } if $p->{subParts};
	return $p;
}
# A text's last line has an end in mail.
sub texts { $js->encode([sort map { s/\n?\z/\n/r } @_]) }
my (@off, $made);
for my $round (1 .. $rounds) {
	my $e = random_email();
	my $r = $t->call('Email/set', { create => { k => $e } });
	my $new = $r->{created} && $r->{created}{k};
	if (!$new) {
		push @off, "round $round: refused: " . $js->encode($r) .
		    $js->encode($e);
		next;
	}
	$made++;
	my $got = $t->call('Email/get', { ids => [$new->{id}],
		properties => [grep({ !/\A(?:bodyStructure|bodyValues|textBody|htmlBody|attachments)\z/ } keys %$e),
		    'bodyStructure', 'bodyValues', 'messageId'],
		fetchAllBodyValues => $T })->{list}[0];
	my $o = octets();
	my $eai = $js->encode([@{$e}{qw(from to cc
	    header:Reply-To:asGroupedAddresses)}]) =~ /"email":"j\xc3\xbc/;
	push @off, map { "round $round: $_\n$o" } lint($o, $eai);
	for my $p (qw(from to cc subject sentAt references messageId mailboxIds
	    header:Reply-To:asGroupedAddresses)) {
		next unless exists $e->{$p};
		my ($want, $is) = map { $js->encode([$_]) } $e->{$p},
		    $got->{$p};
		push @off, "round $round: $p: $want: $is" if $want ne $is;
	}
	# The parts: as they were given, in order.
	my @want = $e->{bodyStructure} ? given($e->{bodyStructure}) :
	    (@{ $e->{textBody} || [] }, @{ $e->{htmlBody} || [] },
	    @{ $e->{attachments} || [] });
	my @is = given($got->{bodyStructure});
	@want = sort { ($a->{type} cmp $b->{type}) ||
	    ($js->encode($a) cmp $js->encode($b)) } @want;
	my $text = texts(map { $_->{value} } values %{ $got->{bodyValues} });
	my $wanted = texts(@want ? map { $e->{bodyValues}{$_->{partId}}{value} }
	    grep { $_->{partId} } @want : '');
	push @off, "round $round: texts: $wanted: $text" if $text ne $wanted;
	my @names = map { join '|', map { $_ // '' } @{$_}{qw(type name
	    disposition cid)} } @want;
	my @got = map { join '|', map { $_ // '' } @{$_}{qw(type name
	    disposition cid)} } @is;
	push @off, "round $round: parts: " . encode('UTF-8', join "\n", sort(@names), 'but', sort @got)
	    if @want && join("\n", sort @names) ne join("\n", sort @got);

	# The same by Python.
	my $p = python($o) // do { push @off, "round $round: python"; last };
	push @off, "round $round: python: $p->{defects}[0]\n$o"
	    if @{ $p->{defects} } && !$eai;
	push @off, "round $round: python's subject: " . encode('UTF-8',
	    "$p->{subject}: $e->{subject}") if $p->{subject} ne $e->{subject};
	for my $f (qw(From To Cc)) {
		# It keeps the blanks between encoded words of a phrase.
		my ($want, $is) = map { $js->encode([map { [$_->[0] =~ s/ //gr,
		    $_->[1]] } @$_]) } [map { [$_->{name} // '',
		    $_->{email}] } @{ $e->{lc $f} || [] }], $p->{$f} || [];
		push @off, "round $round: python's $f: $want: $is"
		    if $want ne $is && !$eai;
	}
	my @pl = leaves($p->{tree});
	my $ptext = texts(map { $_->[1] } grep { $_->[0] =~ m{\Atext/} } @pl);
	push @off, "round $round: python's texts: $wanted: $ptext"
	    if $ptext ne $wanted;
	my @pn = map { join('|', $_->[0], $_->[2] // '', $_->[3] // '',
	    $_->[4] // '') =~ s/[<>"]//gr } @pl;
	s/[<>"]//g for @names;	# which it takes for an address's
	push @off, "round $round: python's parts: " . encode('UTF-8', join "\n", sort(@names), 'but', sort @pn)
	    if @want && join("\n", sort @names) ne join("\n", sort @pn);
	last if @off > 20;
}
is($made, $rounds, 'all of them were made');
is(join("\n", @off), '', 'all as given') or diag "seed $seed";
done_testing();
