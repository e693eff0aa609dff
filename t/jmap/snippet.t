# t/jmap/snippet.t - texts in Email/query (RFC 8621 4.4.1), SearchSnippet/get (5)
use strict;
use warnings;
use utf8;
use Encode qw(encode);
use MIME::Base64 qw(encode_base64);
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => "jmap-max-objects-in-get = 20\n");
my ($T, $F) = (JSON::PP::true, JSON::PP::false);

sub mail {
	my ($header, $body) = @_;
	$header =~ s/\n/\r\n/g;
	$body =~ s/\n/\r\n/g;
	return $t->import_mail("$header\r\n$body");
}
my %id = (
	plain => mail("From: Ann Author <ann\@a.test>\nTo: bob\@b.test\n"
	    . "Cc: Carol <carol\@c.test>\nBcc: dave\@d.test\n"
	    . "Subject: The Foosball <competition> & more\nX-Thing: special\n",
	    "This year the foosball competition\nwill be held in the Stadium.\n"),
	latin => mail("From: =?iso-8859-1?q?J=F6rg?= <joerg\@x.test>\n"
	    . "Subject: =?utf-8?b?" . encode_base64(encode('UTF-8', 'Grüße STRASSE'), '')
	    . "?=\nContent-Type: text/plain; charset=iso-8859-1\n",
	    encode('iso-8859-1', "Schöne Grüße aus der Straße\n")),
	html => mail("Subject: page\nContent-Type: text/html; charset=utf-8\n",
	    encode('UTF-8', '<html><head><title>hidden</title><style>secret{}'
	    . "</style></head><body class=\"classy\">A &lt;tag&gt; <b>Fo</b>o bar &amp; "
	    . "e\x{301}cole</body></html>\n")),
	long => mail("Subject: long\n", "One two three. " x 2000
	    . "And the needle <is> here. " . "four five six. " x 2000 . "\n"),
	attached => mail("Subject: outer\nContent-Type: multipart/mixed; boundary=b\n",
	    "--b\nContent-Type: image/x\n\nneedle in a picture\n--b\n"
	    . "Content-Type: message/rfc822\n\nSubject: forwarded thing\n\ninner text\n"
	    . "--b--\n"),
	cyr => mail("Subject: cyr\nContent-Type: text/plain; charset=koi8-r\n",
	    encode('koi8-r', 'Съешь ещё этих мягких французских булок. ' x 40)),
);
my %name = reverse %id;

sub query {
	my ($filter) = @_;
	my $r = $t->call('Email/query', { filter => $filter });
	return $r->{error} || join ' ', sort map { $name{$_} } @{ $r->{ids} };
}
sub snip {
	my ($filter, @names) = @_;
	my $r = $t->call('SearchSnippet/get', { filter => $filter,
		emailIds => [map { $id{$_} } @names] });
	return $r->{error} ? $r : $r->{list}[0];
}

# ---- Email/query
for ([{ text => 'foosball' }, 'plain'], [{ text => 'FOOSBALL stadium' }, 'plain'],
    [{ text => 'stadium foosball' }, 'plain'], [{ text => 'foosball nowhere' }, ''],
    [{ text => '"foosball competition"' }, 'plain'],
    [{ text => '"competition foosball"' }, ''],
    [{ text => "'foosball competition'" }, 'plain'],
    [{ text => '"foosball' }, ''], [{ text => 'ann@a.test' }, 'plain'],
    [{ text => 'carol dave' }, 'plain'], [{ text => 'special' }, ''],
    [{ from => 'ann' }, 'plain'], [{ from => 'Author ann' }, 'plain'],
    [{ from => 'bob' }, ''], [{ to => 'BOB' }, 'plain'], [{ to => 'ann' }, ''],
    [{ cc => 'carol' }, 'plain'], [{ cc => 'dave' }, ''], [{ bcc => 'dave' }, 'plain'],
    [{ from => 'jörg' }, 'latin'], [{ from => 'JÖRG' }, 'latin'],
    [{ subject => 'grüsse strasse' }, 'latin'], [{ subject => 'Straße' }, 'latin'],
    [{ subject => 'schöne' }, ''], [{ body => 'schöne' }, 'latin'],
    [{ body => 'STRASSE' }, 'latin'], [{ body => 'foosball' }, 'plain'],
    [{ body => '"Foo bar"' }, 'html'], [{ body => '<tag>' }, 'html'],
    [{ body => "\x{e9}cole" }, 'html'], [{ body => 'hidden' }, ''],
    [{ body => 'classy' }, ''], [{ body => 'secret' }, ''],
    [{ body => 'needle' }, 'long'], [{ body => 'forwarded' }, 'attached'],
    [{ text => 'forwarded inner' }, 'attached'], [{ subject => 'forwarded' }, ''],
    [{ body => 'ФРАНЦУЗСКИХ' }, 'cyr'],
    [{ header => ['X-Thing'] }, 'plain'], [{ header => ['x-thing', 'SPEC'] }, 'plain'],
    [{ header => ['X-Thing', 'foo'] }, ''], [{ header => ['X-None'] }, ''],
    [{ header => ['Subject', 'page'] }, 'html'], [{ header => ['Cc', ''] }, 'plain'],
    [{ text => '' }, 'attached cyr html latin long plain'],
    [{ text => '  ""' }, 'attached cyr html latin long plain'],
    [{ operator => 'NOT', conditions => [{ body => 'o' }] }, 'cyr latin'],
    [{ operator => 'OR', conditions => [{ from => 'ann' }, { subject => 'page' }] },
	'html plain'],
    [{ operator => 'AND', conditions => [{ text => 'foo' }, { subject => 'page' }] },
	'html'],
    [{ inMailbox => $t->mailbox('inbox'), body => 'needle' }, 'long'],
    [{ text => 'a \\"b' }, ''],
    [{ text => 5 }, 'invalidArguments'], [{ header => [] }, 'invalidArguments'],
    [{ header => ['a', 'b', 'c'] }, 'invalidArguments'],
    [{ header => [''] }, 'invalidArguments'], [{ header => 'x' }, 'invalidArguments'],
    [{ header => ['x', undef] }, 'invalidArguments'],
    [{ text => 'x' x 1001 }, 'unsupportedFilter'],
    [{ text => 'x ' x 33 }, 'unsupportedFilter'],
    [{ operator => 'OR', conditions => [({ text => 'x' }) x 51] },
	'unsupportedFilter']) {
	my ($filter, $want) = @$_;
	my $what = substr $CulverJmap::json->encode($filter), 0, 60;
	is(query($filter), $want, $what);
}
my $quoted = mail("Subject: q\n", "he said \"it's\" so\n");
$name{$quoted} = 'quoted';
is(query({ text => q("\\"it\\'s\\"") }), 'quoted', 'escaped in a phrase');
is(query({ text => "it's" }), 'quoted', 'a quote inside a word');

# ---- SearchSnippet/get
my $s = snip({ text => 'foosball' }, 'plain');
is_deeply($s, { emailId => $id{plain},
	subject => 'The <mark>Foosball</mark> &lt;competition&gt; &amp; more',
	preview => 'This year the <mark>foosball</mark> competition will be held in the Stadium. ' },
    'in the subject and the body');
$s = snip({ text => 'comp "foosball comp" stadium' }, 'plain');
is($s->{preview}, 'This year the <mark>foosball comp</mark>etition will be held '
    . 'in the <mark>Stadium</mark>. ', 'several, one in another');
$s = snip({ subject => 'foosball' }, 'plain');
like($s->{subject}, qr/<mark>/, 'subject: subject');
is($s->{preview}, undef, 'subject: no preview');
$s = snip({ body => 'foosball' }, 'plain');
is($s->{subject}, undef, 'body: no subject');
like($s->{preview}, qr/<mark>/, 'body: preview');
for ({ from => 'ann' }, undef, { text => 'nowhere' }, { hasKeyword => '$seen' },
    { operator => 'NOT', conditions => [{ text => 'foosball' }] }, { text => '' }) {
	is_deeply([@{ snip($_, 'plain') }{qw(subject preview)}], [undef, undef],
	    'neither: ' . $CulverJmap::json->allow_nonref->encode($_));
}
$s = snip({ operator => 'OR', conditions => [{ body => 'nowhere' }, { inMailbox =>
	'Mx' }, { text => 'more' }] }, 'plain');
is($s->{subject}, 'The Foosball &lt;competition&gt; &amp; <mark>more</mark>',
    'one of several conditions');
$s = snip({ text => 'STRASSE' }, 'latin');
is($s->{subject}, 'Grüße <mark>STRASSE</mark>', 'an encoded word');
is($s->{preview}, 'Schöne Grüße aus der <mark>Straße</mark> ', 'folded to more');
is(snip({ body => "\x{e9}cole" }, 'html')->{preview},
    "A &lt;tag&gt; Foo bar &amp; <mark>e\x{301}cole</mark>", 'a letter and its mark');
is(snip({ body => 'tag' }, 'html')->{preview},
    "A &lt;<mark>tag</mark>&gt; Foo bar &amp; e\x{301}cole", 'HTML is text');
$s = snip({ body => 'needle' }, 'long')->{preview};
like($s, qr/\A\.\.\.\w.* the <mark>needle<\/mark> &lt;is&gt; here\. .*\.\.\.\z/,
    'in the middle of a long text');
cmp_ok(length $s, '<=', 255, '255 octets');
cmp_ok(length $s, '>', 200, 'of which many are used');
$s = snip({ body => 'французских' }, 'cyr')->{preview};
like($s, qr/\AСъешь ещё этих мягких <mark>французских<\/mark> бул.*\.\.\.\z/,
    'another script');
cmp_ok(length(encode('UTF-8', $s)), '<=', 255, '255 octets');
my $x = 'x' x 600;
$id{wide} = mail("Subject: <<<\n", "<$x>\n");
$s = snip({ body => 'x' x 500 }, 'wide')->{preview};
like($s, qr/\A&lt;<mark>x+<\/mark>\.\.\.\z/, 'more than is shown');
cmp_ok(length $s, '<=', 255, '255 octets');
is(snip({ subject => '<' }, 'wide')->{subject}, '<mark>&lt;&lt;&lt;</mark>',
    'characters of HTML are found');
is(snip({ body => 'forwarded' }, 'attached')->{preview},
    '<mark>forwarded</mark> thing', 'of an attached message');
is(snip({ body => 'inner' }, 'attached')->{preview}, '<mark>inner</mark> text',
    'and its text');

# ---- ids
my $r = $t->call('SearchSnippet/get', { filter => { text => 'foosball' },
	emailIds => [$id{plain}, 'Effff', $id{html}, $id{plain}, 'x'] });
is_deeply([map { $_->{emailId} } @{ $r->{list} }], [$id{plain}, $id{html}], 'list');
is_deeply($r->{notFound}, ['Effff', 'x'], 'notFound');
is_deeply($r->{list}[1], { emailId => $id{html}, subject => undef,
	preview => undef }, 'one that does not match');
is($t->call('SearchSnippet/get', { emailIds => [$id{plain}] })->{notFound}, undef,
    'all are found');
my ($q, $g) = $t->calls(['Email/query', { filter => { body => 'needle' } }, 'a'],
    ['SearchSnippet/get', { filter => { body => 'needle' }, '#emailIds' => {
	resultOf => 'a', name => 'Email/query', path => '/ids' } }, 'b']);
is($g->[1]{list}[0]{emailId}, $id{long}, 'with a result reference');

# ---- errors
for ([{}, 'invalidArguments'], [{ emailIds => undef }, 'invalidArguments'],
    [{ emailIds => [], filter => 'x' }, 'invalidArguments'],
    [{ emailIds => [], filter => { foo => 1 } }, 'invalidArguments'],
    [{ emailIds => [], filter => { text => 'x' x 1001 } }, 'unsupportedFilter'],
    [{ emailIds => [('E1') x 21] }, 'requestTooLarge'],
    [{ emailIds => [], accountId => 'Ax' }, 'accountNotFound']) {
	is($t->call('SearchSnippet/get', $_->[0])->{error}, $_->[1], $_->[1]);
}

my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
