# t/lib/CulverScram.pm - a SCRAM client (RFC 5802, RFC 7677), told to misbehave too
package CulverScram;
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1 hmac_sha256 sha1 sha256);
use MIME::Base64 qw(decode_base64 encode_base64);

my %f = ('SHA-1' => [\&hmac_sha1, \&sha1], 'SHA-256' => [\&hmac_sha256, \&sha256]);

sub b64 { encode_base64($_[0], '') }

# Hi(), RFC 5802 2.2, of one block.
sub hi {
	my ($hash, $password, $salt, $i) = @_;
	my $u = my $r = $f{$hash}[0]->($salt . pack('N', 1), $password);
	for (2 .. $i) {
		$u = $f{$hash}[0]->($u, $password);
		$r ^= $u;
	}
	return $r;
}

# new(hash => 'SHA-256', user, password, gs2 => 'n,,', data => channel's octets,
#     nonce)
sub new {
	my ($class, %o) = @_;
	return bless { hash => 'SHA-256', gs2 => 'n,,', data => '',
		nonce => 'rOprNGfwEbeRWgbNEkqO', %o }, $class;
}

sub first {
	my ($self) = @_;
	$self->{bare} = "n=$self->{user},r=$self->{nonce}";
	return $self->{gs2} . $self->{bare};
}

# The answer to the server's first message.
sub final {
	my ($self, $server) = @_;
	my ($nonce, $salt, $i) = $server =~ /\Ar=([^,]+),s=([^,]+),i=(\d+)\z/
	    or die "server-first-message: $server\n";
	die "the nonce isn't mine\n" if index($nonce, $self->{nonce}) != 0
	    || length $nonce <= length $self->{nonce};
	my ($hmac, $h) = @{ $f{ $self->{hash} } };
	$self->{i} = $i;
	$self->{salt} = $salt;
	my $key = hi($self->{hash}, $self->{password}, decode_base64($salt), $i);
	my $client = $hmac->('Client Key', $key);
	my $without = 'c=' . b64(($self->{gs2_final} // $self->{gs2})
		. $self->{data}) . ',r=' . ($self->{wrong_nonce} // $nonce);
	my $message = "$self->{bare},$server,$without";
	$self->{expect} = 'v=' . b64($hmac->($message, $hmac->('Server Key', $key)));
	return "$without,p=" . b64($client ^ $hmac->($message, $h->($client)));
}

# Did the server prove that it knows the password?
sub verified { $_[1] eq $_[0]{expect} }

1;
