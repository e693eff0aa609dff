# t/imap/texts.t - every text for people is in each catalogue (texts-*.c)
#
# The texts are the string literals with a lower-case letter in the arguments of
# functions that answer, what is assigned to an error or a text, and all others
# that have words in them.  What is for the log, or a form of the protocol, is
# not one.
use strict;
use warnings;
use Test::More;

my $src = $ENV{srcdir};
my @languages = qw(de fr);

sub slurp {
	open(my $fh, '<:raw', $_[0]) or die "$_[0]: $!";
	local $/;
	return scalar <$fh>;
}

my $string = qr/"(?:\\.|[^"\\\n])*"/;
my $strings = qr/$string(?:\s*$string)*/;

# The value of adjacent literals.
sub value {
	my $v = join '', map { /\A"(.*)"\z/s ? $1 : '' } $_[0] =~ /$string/g;
	$v =~ s/\\(["\\])/$1/g;
	return $v;
}

sub code {
	my ($text) = @_;
	$text =~ s{($string)|/\*.*?\*/}{defined $1 ? $1 : ' '}gse;
	$text =~ s/^\s*#\s*include\b.*$//mg;
	return $text;
}

# Functions whose texts are all for people: those of answers and of arguments.
my $say = qr/imap_(?:ok|ok_code|ok_expunged|no|bad|bye)|enc_say|language_text|
    imap_args_(?!word\b)\w+|imap_parse_expected|expected|put_code|refuse|
    answer|imap_noupdate|context_fail/x;
# Others never are.
my $quiet = qr/log_\w+|enc_raw|imap_args_word|arena_printf|buf_\w+|SLICE_LIT|
    _Static_assert/x;
# What looks like words and isn't for people.
my %form = map { $_ => 1 } (
	' Culver is ready',		# before there is a language
	'BADCHARSET (US-ASCII UTF-8)',	# response codes
);

my $call = qr/(\((?:[^()"']++|$string|'(?:\\.|[^'\\])'|(?-1))*+\))/;

my @raw;	# texts that go out as they are

# { text => where }
sub texts {
	my ($file) = @_;
	my %found;
	my $c = code(slurp("$src/$file"));

	# Text behind a response code, or instead of one.
	while ($c =~ /\benc_raw\s*$call/g) {
		my $args = $1;
		push @raw, map { "$file: $_" }
		    grep { /\] ?[A-Za-z]|\A\* (?:OK|NO|BAD|BYE) +[^\[]/ }
		    map { value($_) } $args =~ /$strings/g;
	}
	# What follows the code must be said; the greeting comes too early.
	while ($c =~ /"(?:[^"\n]*\]|\* (?:OK|NO|BAD|BYE)) "\);\s*\}?\s*(\w+)/g) {
		push @raw, "$file: $1() behind a response code"
		    unless $1 =~ /\A(?:enc_say|enc_text|if)\z/;
	}
	$c =~ s{\b(?:$quiet)\s*$call}{
		# But what is inside of it may be.
		my $in = $1;
		my @say = $in =~ /\blanguage_text\s*$call/g;
		join ' ', '()', map { "language_text$_" } @say;
	}gse;
	while ($c =~ /(?<![\w.>])(?:$say)\s*(?=$call)/g) {
		my $args = $1;
		$found{ value($_) } = $file for $args =~ /$strings/g;
	}
	while ($c =~ /\b(?:err|text)\s*=\s*([^;]*);/g) {
		my $v = $1;
		$found{ value($_) } = $file for $v =~ /$strings/g;
	}
	while ($c =~ /($strings)/g) {
		my $v = value($1);
		$found{$v} = $file if $v =~ /[a-z']{2,} [a-z]/;
	}
	for (keys %found) {
		delete $found{$_} if $form{$_} || !/[a-z]/ || /\A\* /;
	}
	return \%found;
}

my %text;
for my $path (glob("$src/imapd/*.c")) {
	(my $file = $path) =~ s{\A\Q$src\E/}{};
	next if $file =~ m{/(?:texts-\w+|language|main)\.c\z};
	my $t = texts($file);
	$text{$_} = $t->{$_} for keys %$t;
}
# Those of the store's failures.
my $errors = code(slurp("$src/libstore/errors.c"));
while ($errors =~ /,\s*($string),\s*[01]\s*\}/g) {
	$text{ value($1) } = 'libstore/errors.c';
}
cmp_ok(scalar keys %text, '>', 200, 'texts are found');
ok($text{$_}, "among them: $_") for 'Logged out', 'a search key',
    'expected %s at octet %zu', 'No such object', 'unknown command', 'Sorted',
    'These flags can be changed', 'idling', 'it is not one line';
is(join("\n", @raw), '', 'all are said by enc_say()');
if ($ENV{TEXTS_LIST}) {
	diag("$text{$_}: $_") for sort keys %text;
}

sub directives { join ' ', $_[0] =~ /%(?:%|[^a-z%]*(?:ll|z)?[a-z])/g }

for my $l (@languages) {
	my $file = "imapd/texts-$l.c";
	my $c = code(slurp("$src/$file"));
	my (%has, @order);

	while ($c =~ /\{\s*($strings)\s*,\s*($strings)\s*\}/g) {
		my ($english, $own) = (value($1), value($2));
		push @order, $english;
		$has{$english} = $own;
	}
	is(join("\n", map { "$text{$_}: $_" }
		sort grep { !defined $has{$_} } keys %text), '',
	    "$file has every text");
	is(join("\n", sort grep { !$text{$_} } keys %has), '',
	    "$file has nothing else");
	is_deeply(\@order, [sort @order], "$file is in order");
	is(scalar @order, scalar keys %has, "$file has each once");
	is_deeply([grep { directives($_) ne directives($has{$_}) } @order], [],
	    "$file keeps the directives");
	is_deeply([grep {
		my $t = $has{$_};
		!utf8::decode($t) || $t !~ /\S/ || $t =~ /[\x00-\x1f\x7f-\x9f]|\A\[/
	} @order], [], "$file is UTF-8 that a response can have");
	like(slurp("$src/imapd/language.c"), qr/\{ "\Q$l\E", language_$l, /,
	    "$l is offered");
	like(slurp("$src/conf/keys.c"), qr/languages\[\][^;]*\{ "\Q$l\E", 0 \}/,
	    "$l can be the preferred one");
}
done_testing();
