# t/jmap/email-bodies.t - textBody, htmlBody and attachments by the algorithm of
# RFC 8621 4.1.4, and values cut to maxBodyValueBytes, of random messages and
# of those that fuzzing found
use strict;
use warnings;
use utf8;
use Test::More;
use CulverJmap;
use Encode qw(decode encode);
use File::Basename qw(basename);

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => "max-message = 20M\n");
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $seed = $ENV{CULVER_SEED} // 7;
my $rounds = $ENV{CULVER_LONG} ? 5000 : 150;
srand $seed;
my $js = $CulverJmap::json;
sub any { $_[rand @_] }

# ---- the algorithm, again
sub is_media { $_[0]{type} =~ m{\A(?:image|audio|video)/} }
sub parse {
	my ($parts, $multi, $in_alt, $html, $text, $att) = @_;
	my ($tn, $hn) = map { $_ ? scalar @$_ : -1 } $text, $html;
	for my $i (0 .. $#$parts) {
		my $p = $parts->[$i];
		if ($p->{type} =~ m{\Amultipart/(.*)}) {
			parse($p->{subParts}, $1, $in_alt || $1 eq 'alternative',
			    $html, $text, $att);
			next;
		}
		my $inline = lc($p->{disposition} // '') ne 'attachment'
		    && ($p->{type} =~ m{\Atext/(?:plain|html)\z} || is_media($p))
		    && ($i == 0 || ($multi ne 'related'
		    && (is_media($p) || ($p->{name} // '') eq '')));
		if (!$inline) {
			push @$att, $p;
			next;
		}
		if ($multi eq 'alternative') {
			my $to = $p->{type} eq 'text/plain' ? $text
			    : $p->{type} eq 'text/html' ? $html : $att;
			push @{ $to // $att }, $p;	# lest it is lost
			next;
		}
		if ($in_alt) {
			undef $html if $p->{type} eq 'text/plain';
			undef $text if $p->{type} eq 'text/html';
		}
		push @$text, $p if $text;
		push @$html, $p if $html;
		push @$att, $p if !$text && !$html
		    || (!$text || !$html) && is_media($p);
	}
	return unless $multi eq 'alternative' && $text && $html;
	my ($t1, $h1) = (scalar @$text, scalar @$html);
	push @$text, @$html[$hn .. $h1 - 1] if $tn == $t1 && $hn != $h1;
	push @$html, @$text[$tn .. $t1 - 1] if $hn == $h1 && $tn != $t1;
}
sub leaves {
	my ($p) = @_;
	return $p->{subParts} ? map { leaves($_) } @{ $p->{subParts} } : $p;
}

# ---- random messages
my $b = 0;
my @lines = ('<p class="a&amp;b">Grüße &uuml;ber <b>alles</b>', 'plain text',
	'日本語 😀 テキスト', 'a < b > c & d', '<img src="x.png" alt="ein Bild">',
	'&#128512;&lt;', 'é' x 30);
sub leaf {
	my $type = any('text/plain', 'text/plain', 'text/html', 'text/html',
	    'image/png', 'audio/x-y', 'application/pdf', 'text/calendar');
	my $d = any('', '', '', 'inline', 'attachment', 'x-other');
	my $name = any('', '', 'f.bin');
	my $h = "Content-Type: $type; charset=utf-8";
	$h .= "; name=$name" if $name && rand() < 0.5;
	$h .= "\r\nContent-Disposition: $d" . ($name ? "; filename=$name" : '')
	    if $d;
	return "$h\r\n\r\n" . encode('UTF-8', join '', map { any(@lines) .
	    "\r\n" } 0 .. rand 8);
}
sub tree {
	my ($depth) = @_;
	return leaf() if $depth == 0 || rand() < 0.35;
	my $sub = any(qw(mixed alternative alternative related signed digest));
	my $bound = 'b' . $b++;
	return "Content-Type: multipart/$sub; boundary=$bound\r\n\r\n" .
	    join('', map { "--$bound\r\n" . tree($depth - 1) . "\r\n" }
	    0 .. rand 4) . "--$bound--\r\n";
}
my @mail = map { ["random $_", "Subject: $_\r\nMIME-Version: 1.0\r\n" .
    tree(4)] } 1 .. $rounds;
for my $f (glob "$CulverTest::srcdir/t/fuzz/corpus/mime*/*") {
	next unless -f $f && -s $f < 1 << 16;
	open(my $fh, '<:raw', $f) or die "$f: $!";
	local $/;
	push @mail, [basename($f), "X-File: x\r\n" . <$fh>];
}

# ---- what is said of each
my @props = qw(blobId bodyStructure textBody htmlBody attachments bodyValues
	hasAttachment preview);
my @part = qw(partId blobId type name disposition size subParts cid);
my %off;
sub off { push @{ $off{$_[0]} }, $_[1] }
sub ids { join ' ', map { $_->{partId} // 'null' } @_ }
sub check {
	my ($name, $e) = @_;
	my (@text, @html, @att);
	parse([$e->{bodyStructure}], 'mixed', 0, \@html, \@text, \@att);
	for (['textBody', @text], ['htmlBody', @html], ['attachments', @att]) {
		my ($prop, @want) = @$_;
		my ($is, $want) = (ids(@{ $e->{$prop} }), ids(@want));
		off($prop, "$name: $is, not $want") if $is ne $want;
	}
	my %in = map { $_->{partId} => 1 } map { @{ $e->{$_} } }
	    qw(textBody htmlBody attachments);
	for my $p (leaves($e->{bodyStructure})) {
		off('lost', "$name: $p->{partId}") unless $in{ $p->{partId} };
		my $multi = $p->{type} =~ m{\Amultipart/};
		off('ids', "$name: $p->{type}")
		    if $multi ? defined($p->{partId} // $p->{blobId})
		    : !defined($p->{partId}) || !defined $p->{blobId};
	}
	off('subParts', $name) if grep { $_->{subParts} } map { @{ $e->{$_} } }
	    qw(textBody htmlBody attachments);
	off('preview', $name) if length $e->{preview} > 256;
	my $shown = grep { lc($_->{disposition} // '') ne 'inline' &&
	    !$_->{cid} && $_->{type} !~ /signature/ } @{ $e->{attachments} };
	off('hasAttachment', $name) if $shown && !$e->{hasAttachment};
	my %text = map { $_->{partId} => 1 } grep { $_->{type} =~ m{\Atext/} }
	    leaves($e->{bodyStructure});
	my $is = join ' ', sort keys %{ $e->{bodyValues} };
	off('values', "$name: $is") if $is ne join ' ', sort keys %text;
}
sub cut {
	my ($name, $max, $e, $whole) = @_;
	my %type = map { $_->{partId} => $_->{type} }
	    leaves($e->{bodyStructure});
	for my $id (sort keys %{ $e->{bodyValues} }) {
		my ($v, $w) = map { $_->{bodyValues}{$id} } $e, $whole;
		my ($s, $all) = ($v->{value}, $w->{value});
		my $n = length encode('UTF-8', $s);
		off('max', "$name: $n > $max") if $n > $max;
		off('flag', "$name $id: $max") if $v->{isTruncated} !=
		    (length encode('UTF-8', $all) > $max);
		off('prefix', "$name $id: $max")
		    if substr($all, 0, length $s) ne $s;
		off('whole', "$name $id: $max")
		    if !$v->{isTruncated} && $s ne $all;
		off('CRLF', "$name $id") if $all =~ /\r\n/;
		off('tag', "$name $id: $max: $s") if $v->{isTruncated} &&
		    $type{$id} eq 'text/html' && $s =~ /<\/?[a-z][^<>]*\z/ &&
		    $all =~ /\A\Q$s\E[^<>]*>/;
		off('short', "$name $id: $max: $n") if $v->{isTruncated} &&
		    $type{$id} ne 'text/html' && $n < $max - 3;
	}
}
# Email/parse says the same, and a part's blob has its size.
sub parsed {
	my ($name, $e, %ask) = @_;
	delete $ask{ids};
	my $p = $t->call('Email/parse', { %ask, blobIds => [$e->{blobId}] })
	    ->{parsed}{ $e->{blobId} };
	for my $k (qw(bodyValues hasAttachment preview bodyStructure)) {
		my ($is, $want) = map { $js->encode([$_->{$k}]) =~
		    s/"blobId":"[^"]*",//gr } $p, $e;
		off('parse', "$name: $k: $is, not $want") if $is ne $want;
	}
	my $part = any(leaves($e->{bodyStructure}));
	return if $part->{type} =~ m{\Amultipart/};
	for ($part->{blobId}, map { $_->{blobId} } grep { $_->{partId} eq
	    $part->{partId} } leaves($p->{bodyStructure})) {
		my $n = length $t->request('GET', '/jmap/download/' .
		    $t->account . "/$_/x?type=a/b")->{content};
		off('size', "$name: $n, not $part->{size}")
		    if $n != $part->{size};
	}
}
my $done = 0;
for (@mail) {
	my ($name, $octets) = @$_;
	my $id = $t->import_mail($octets);
	next if ref $id;	# no message at all
	my %ask = (ids => [$id], properties => \@props,
		bodyProperties => \@part, fetchAllBodyValues => $T);
	my $e = $t->call('Email/get', \%ask)->{list}[0];
	check($name, $e);
	for my $max (1, 10, 1 + int rand 200) {
		cut($name, $max, $t->call('Email/get', { %ask,
			maxBodyValueBytes => $max })->{list}[0], $e);
	}
	parsed($name, $e, %ask);
	$done++;
}
cmp_ok($done, '>=', $rounds, 'messages');
for (qw(textBody htmlBody attachments lost ids subParts preview hasAttachment
    values max flag prefix whole CRLF tag short
    parse size)) {
	is(encode('UTF-8', join "\n", @{ $off{$_} || [] }), '', $_) or
	    diag "seed $seed";
}
# I-JSON has no noncharacters (RFC 7493 2.1): they come as U+FFFD.
my $odd = $t->import_mail("Subject: a\xef\xbf\xbfb\xf0\x9f\xbf\xbec\r\n"
    . "Content-Type: text/plain; charset=utf-8\r\n\r\nx\xef\xb7\x90y\r\n");
my ($got) = @{ $t->call('Email/get', { ids => [$odd], fetchTextBodyValues =>
	JSON::PP::true, properties => ['subject', 'bodyValues'] })->{list} };
is($got->{subject}, "a\x{fffd}b\x{fffd}c", 'noncharacters in a header field');
is((values %{ $got->{bodyValues} })[0]{value}, "x\x{fffd}y\n", 'and in a body');
done_testing();
