# t/imap/jmapaccess.t - JMAPACCESS (RFC 9698)
use strict;
use warnings;
use CulverTest;
use Test::More;

sub session {
	my ($conf) = @_;
	my $t = CulverTest->new(tls => 1, users => { alice => 'secret' },
		conf => $conf);
	my $c = $t->connect($t->start('imapd', 'imaps'), tls => 1);
	unlike($c->imap_line, qr/JMAPACCESS/, 'not in the greeting');
	my ($ok) = $c->imap('LOGIN alice secret');
	return ($t, $c, $ok);
}

my ($t, $c, $ok) = session(qq(jmap-url = "https://mail.test:8443/m"\n));
like($ok, qr/ JMAPACCESS[\] ]/, 'offered after login');
my ($r, @u) = $c->imap('GETJMAPACCESS');
is_deeply(\@u,
    ['* JMAPACCESS "https://mail.test:8443/m/.well-known/jmap"'], 'the URL');
like($r, qr/\Aa\d+ OK /, 'OK');
($r) = $c->imap('GETJMAPACCESS x');
like($r, qr/ BAD /, 'no arguments');

# not where the administrator names no URL
($t, $c, $ok) = session('');
unlike($ok, qr/JMAPACCESS/, 'not offered');
($r) = $c->imap('GETJMAPACCESS');
like($r, qr/ BAD /, 'refused');
done_testing();
