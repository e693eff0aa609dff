# t/00-style.t - the rules of HACKING that a program can check
use strict;
use warnings;
use File::Find;
use File::Temp qw(tempdir);
use Test::More;

my $src = $ENV{srcdir} || '.';
my $build = $ENV{builddir} || '.';
my @libs = qw(libbase libmime libstore conf libsession);
my @programs = qw(imapd pop3d lmtpd jmap-fcgi jmap-push culver);
my @code = (@libs, @programs, qw(bench t));

# What each folder may include besides itself.
my %below = (
	libbase => [],
	libmime => [qw(libbase)],
	libstore => [qw(libbase libmime)],
	conf => [qw(libbase)],
	libsession => [qw(libbase libmime libstore conf)],
	(map { $_ => \@libs } @programs, 'bench'),
	t => [@libs, @programs, 't', 'bench'],
);
my %banned = map { $_ => 'unbounded, unsafe, or has a better form' }
    qw(strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi atol
    alloca system popen);
my %base_only = map { $_ => 'libbase has the checked form' }
    qw(malloc calloc realloc free strdup strndup read write);
my (@c, @h, @perl, @all);
find({ no_chdir => 1, wanted => sub {
	return unless -f;
	my $f = substr($File::Find::name, length($src) + 1);
	push @c, $f if $f =~ /\.c\z/;
	push @h, $f if $f =~ /\.h\z/;
	push @perl, $f if $f =~ /\.(?:t|pm)\z/;
	push @all, $f if $f =~ /\.(?:c|h|t|pm|am|ac|mk|sh|md|[1-9])\z/;
} }, map { "$src/$_" } grep { -d "$src/$_" } @code, 'doc', 'scripts');

sub slurp {
	open(my $fh, '<:raw', "$src/$_[0]") or die "$_[0]: $!";
	local $/;
	return scalar <$fh>;
}

# The same text with comments, strings and characters blanked out.
sub bare {
	my ($text) = @_;
	$text =~ s{(/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')}
	    {(my $b = $1) =~ s/[^\n]/ /g; $b}gse;
	return $text;
}

sub folder { (split m{/}, $_[0])[0] }

my (@size, @length, @ban, @include, @config, @head);
for my $f (sort @c, @h) {
	my $text = slurp($f);
	my $bare = bare($text);
	my $lines = () = $text =~ /\n/g;
	push @size, "$f: $lines lines"
	    if $lines > 800 && $f !~ m{/(?:commands|methods|errors)\.c\z};
	push @head, $f unless $text =~ m{\A/\*\s*(?:\*\s*)?\Q$f\E - \S};
	push @config, $f
	    if $f =~ /\.c\z/
	    && ($text =~ /^#\s*include\s+(\S+)/m)[0] ne '"config.h"';
	push @config, $f if $f =~ /\.h\z/ && $text =~ /^#\s*include "config\.h"/m;

	while ($bare =~ /\b([a-z]\w*)\s*\(/g) {
		my $name = $1;
		my $before = substr($bare, 0, $-[1]);
		my $line = 1 + ($before =~ tr/\n//);
		next if $before =~ /(?:->|\.)\s*\z/;
		push @ban, "$f:$line: $name: $banned{$name}" if $banned{$name};
		push @ban, "$f:$line: $name: $base_only{$name}"
		    if $base_only{$name} && folder($f) !~ /\A(?:libbase|t|bench)\z/
		    # Memory that another project's library hands over: such a
		    # file says so.
		    && !($name eq 'free' && $text =~ m{/\* free: });
	}

	my $mine = folder($f);
	while ($text =~ /^\s*#\s*include\s+["<]([^">]+)[">]/mg) {
		my $inc = $1;
		my $theirs = folder($inc);
		next if $inc !~ m{/} ||
		    ($theirs ne '..' && !-d "$src/$theirs");
		next if $theirs eq $mine;
		push @include, "$f includes $inc"
		    if !grep { $_ eq $theirs } @{ $below{$mine} || [] };
		push @include, "$f includes $inc, which is private"
		    if $inc =~ /-int\.h\z/ && $mine ne 't';
	}

	# A function body begins with { in column 0 and ends with } there.
	my ($n, $start, $name) = (0, 0, '');
	my $prev = '';
	for my $l (split /\n/, $bare) {
		$n++;
		$name = $1 if $l =~ /\A([A-Za-z_]\w*)\(/;
		($start, $prev) = ($n, $name) if $l eq '{';
		if ($l eq '}' && $start) {
			push @length, "$f: $prev: " . ($n - $start - 1) . ' lines'
			    if $n - $start - 1 > 80;
			$start = 0;
		}
	}
}
is_deeply(\@size, [], 'no file over 800 lines');
is_deeply(\@length, [], 'no function over 80 lines');
is_deeply(\@ban, [], 'no banned function');
is_deeply(\@include, [], 'includes go down only');
is_deeply(\@config, [], 'config.h first in every .c, in no .h');
is_deeply(\@head, [], 'every file begins by saying what it is');

my @editor;
for my $f (sort @all, qw(configure.ac Makefile.am bootstrap NEWS README.md
    scripts/setup scripts/serve scripts/test), grep { -f "$src/$_" } '.ci/run') {
	next if $f =~ m{\At/formats/\d+/};	# octets, not text
	my $text = slurp($f);
	push @editor, "$f: blanks at a line's end" if $text =~ /[ \t]+$/m;
	push @editor, "$f: CR" if $text =~ /\r/ && $f !~ m{\At/(?:mime|fuzz)/};
	push @editor, "$f: no final newline"
	    if length $text && $text !~ /\n\z/;
	push @editor, "$f: indented with blanks"
	    if $f =~ /\.(?:c|h)\z/ && $text =~ /^ {8}/m;
}
is_deeply(\@editor, [], 'the rules of .editorconfig');

# Every header stands alone.
my $cc = $ENV{CC} || 'cc';
my $tmp = tempdir(CLEANUP => 1);
my @flags = split ' ', $ENV{STYLE_CPPFLAGS} || '';
my @alone;
for my $h (sort grep { !m{\A(?:t|bench)/} } @h) {
	open(my $fh, '>', "$tmp/x.c") or die;
	print $fh "#include \"config.h\"\n#include \"$h\"\n",
	    "#include \"$h\"\nint x;\n";
	close($fh);
	my $out = qx($cc -std=c11 -fsyntax-only -I$src -I$build @flags $tmp/x.c 2>&1);
	push @alone, "$h: $out" if $?;
}
is_deeply(\@alone, [], 'every header compiles alone');

my @man = grep { m{\Adoc/.*\.[1-9]\z} } @all;
SKIP: {
	skip 'no mandoc', 1 if system('command -v mandoc >/dev/null 2>&1');
	my $lint = '';
	$lint .= qx(mandoc -T lint -W warning $src/$_ 2>&1) for sort @man;
	is($lint, '', 'manual pages');
}
SKIP: {
	skip 'no shellcheck', 1
	    if system('command -v shellcheck >/dev/null 2>&1');
	my @sh = grep { -f && slurp(substr($_, length($src) + 1))
		=~ m{\A#!/bin/(?:ba)?sh} }
	    glob("$src/scripts/* $src/bootstrap $src/.ci/run");
	is(qx(shellcheck @sh 2>&1), '', 'shell scripts');
}

# What git tracks has to be in the tarball.
SKIP: {
	skip 'not in a checkout', 1
	    if !-e "$src/.git" || system("git -C $src status >/dev/null 2>&1");
	my %dist = map { s{\A\Q$src\E/}{}r => 1 } split ' ',
	    qx(make -s -C $build print-dist 2>/dev/null);
	skip 'nothing is configured', 1 if !-e "$build/Makefile";
	# A listed folder goes in whole.
	my @forgot = grep {
		my $f = $_;
		!m{\A\.(?:git|ci)} && !grep { $f =~ m{\A\Q$_\E(?:/|\z)} }
		    keys %dist
	}
	    split /\n/, qx(git -C $src ls-files);
	is_deeply(\@forgot, [], 'every tracked file is in the tarball');
}
done_testing();
