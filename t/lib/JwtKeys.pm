# t/lib/JwtKeys.pm - keys of an authorization server, and what it signs
package JwtKeys;
use strict;
use warnings;
use Carp qw(croak);
use JSON::XS;
use MIME::Base64 qw(encode_base64url);

my $json = JSON::XS->new->canonical;
my %pkey = (rsa => 'RSA -pkeyopt rsa_keygen_bits:2048',
	small => 'RSA -pkeyopt rsa_keygen_bits:1024',
	ec => 'EC -pkeyopt ec_paramgen_curve:P-256',
	ec384 => 'EC -pkeyopt ec_paramgen_curve:P-384', ed => 'ED25519');
my $pss = '-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest';
# How the openssl program makes the signature of $in into $out.
my %sign = (RS256 => 'dgst -sha256', RS512 => 'dgst -sha512',
	PS256 => "dgst -sha256 $pss", ES256 => 'dgst -sha256',
	ES384 => 'dgst -sha384', EdDSA => undef);

sub new {
	my ($class, $dir) = @_;
	my $self = bless { dir => $dir }, $class;
	for (sort keys %pkey) {
		$self->openssl("genpkey -algorithm $pkey{$_} -out $dir/$_.key");
		$self->openssl("pkey -in $dir/$_.key -pubout -out $dir/$_.pem");
		$self->openssl("pkey -in $dir/$_.key -pubout -outform DER "
		    . "-out $dir/$_.der");
	}
	return $self;
}

sub openssl {
	my ($self, $args) = @_;
	system("openssl $args 2>$self->{dir}/openssl.err") == 0
	    or croak "openssl $args";
}

sub slurp {
	my ($path) = @_;
	open(my $f, '<:raw', $path) or croak "$path: $!";
	local $/;
	return scalar <$f>;
}

sub pem { slurp("$_[0]{dir}/$_[1].pem") }

# The last octets of a public key in DER are the point of a curve.
sub jwk {
	my ($self, $key, %more) = @_;
	my $der = slurp("$self->{dir}/$key.der");
	my %k;
	if ($key eq 'rsa') {
		my $m = `openssl rsa -pubin -in $self->{dir}/rsa.pem -modulus -noout`;
		%k = (kty => 'RSA', e => 'AQAB', n => encode_base64url(pack 'H*',
			$m =~ /=([0-9A-F]+)/));
	} elsif ($key eq 'ed') {
		%k = (kty => 'OKP', crv => 'Ed25519',
			x => encode_base64url(substr $der, -32));
	} else {
		my $n = $key eq 'ec' ? 32 : 48;
		%k = (kty => 'EC', crv => $key eq 'ec' ? 'P-256' : 'P-384',
			x => encode_base64url(substr $der, -2 * $n, $n),
			y => encode_base64url(substr $der, -$n));
	}
	return { %k, %more };
}

# r and s of fixed length, out of a DER SEQUENCE of two INTEGERs.
sub raw_rs {
	my ($der, $n) = @_;
	my ($r, $s) = unpack 'x2 x C/a x C/a', $der;
	return join '', map { substr(("\0" x $n) . $_, -$n) } $r, $s;
}

sub signature {
	my ($self, $key, $alg, $text) = @_;
	my $d = $self->{dir};
	open(my $f, '>:raw', "$d/in") or croak "$d/in: $!";
	print $f $text;
	close $f;
	$self->openssl(defined $sign{$alg} ?
	    "$sign{$alg} -sign $d/$key.key -out $d/sig $d/in" :
	    "pkeyutl -sign -rawin -inkey $d/$key.key -in $d/in -out $d/sig");
	my $sig = slurp("$d/sig");
	# What an RSA key makes of it has no such parts.
	return $key =~ /\Aec/ && $alg =~ /\AES(\d+)/ ? raw_rs($sig, $1 / 8) : $sig;
}

# A token: JwtKeys->jwt('rsa', 'RS256', { claims }, header members).
sub jwt {
	my ($self, $key, $alg, $claims, %head) = @_;
	my $text = join '.', map { encode_base64url(ref $_ ?
		$json->encode($_) : $_) } { alg => $alg, %head }, $claims;
	return "$text." . encode_base64url($self->signature($key,
		$sign{$alg} // $alg eq 'EdDSA' ? $alg : 'RS256', $text));
}

1;
