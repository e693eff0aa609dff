# t/admin/debian.t - the Debian package; CULVER_LONG builds it, and lets lintian see
use strict;
use warnings;
use Test::More;

my $src = $ENV{srcdir} || '.';
for my $script (glob "$src/debian/culver.p* $src/debian/make-conf $src/scripts/deb") {
	is(system($script =~ m{/deb\z} ? 'bash' : 'sh', '-n', $script), 0,
		"$script can be read");
}
open(my $fh, '<', "$src/debian/changelog") or die $!;
my ($version) = <$fh> =~ /\Aculver \(([\d.]+)\)/;
open($fh, '<', "$src/configure.ac") or die $!;
my ($released) = join('', <$fh>) =~ /AC_INIT\(\[culver\], \[([\d.]+)\]/;
is($version, $released, 'the version is that of configure.ac');

SKIP: {
	skip 'CULVER_LONG is not set', 1 unless $ENV{CULVER_LONG};
	skip 'no dpkg-buildpackage and debhelper', 1 if system('sh', '-c',
		'command -v dpkg-buildpackage dh >/dev/null') != 0;
	skip 'not a source tree', 1 unless -e "$src/bootstrap";
	my $log = qx($src/scripts/deb --nocheck 2>&1);
	is($?, 0, 'it builds') or diag substr($log, -2000);
	my ($deb) = grep { !/dbgsym/ } glob "$src/build/deb/culver_*.deb";
	my $list = qx(dpkg-deb -c $deb);
	like($list, qr{ \./$_\n}, $_) for qw(usr/sbin/culver
		usr/libexec/culver/imapd lib/systemd/system/culver-imap.socket
		etc/culver/culver.conf usr/share/man/man8/imapd.8.gz);
	unlike($list, qr{root/root .*\.la\n}, 'no libtool archives');
	my $service = qx(dpkg-deb --fsys-tarfile $deb | tar -xO ./lib/systemd/system/culver-imap.service);
	like($service, qr{^ExecStart=/usr/libexec/culver/imapd -l imap$}m,
		'its unit is for where it is installed');
	my $lmtp = qx(dpkg-deb --fsys-tarfile $deb | tar -xO ./lib/systemd/system/culver-lmtp.service);
	like($lmtp, qr{^User=culver$}m, 'and for its user');
	skip 'no lintian', 1 if system('sh', '-c', 'command -v lintian >/dev/null') != 0;
	my @e = grep { /^E:/ } split /\n/, qx(lintian --allow-root $deb 2>&1);
	is_deeply(\@e, [], 'lintian has no errors');
}
done_testing;
