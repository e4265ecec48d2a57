# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority of a deployment and what it signs. Private to this collection; pure but for random numbers.

What Docker asks of certificates: https://docs.docker.com/engine/security/protect-access/
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from typing import FrozenSet, Iterable, Optional, Sequence

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

BACK = datetime.timedelta(hours=1)  # clocks of hosts that lag behind


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: str
    key: str

    @property
    def end(self) -> datetime.datetime:
        """When it expires (UTC)."""
        return _read(self.certificate).not_valid_after_utc

    @property
    def names(self) -> FrozenSet[str]:
        """Its subject alternative names: DNS names and addresses as text."""
        try:
            found = _read(self.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return frozenset()
        return frozenset(found.get_values_for_type(x509.DNSName)) | {str(item) for item in found.get_values_for_type(x509.IPAddress)}

    def signed_by(self, authority: "Pair") -> bool:
        """Whether ``authority`` has signed it."""
        try:
            _read(self.certificate).verify_directly_issued_by(_read(authority.certificate))
        except Exception:  # pylint: disable=broad-except  # the library raises InvalidSignature, ValueError and TypeError: all mean no
            return False
        return True

    def usable(self) -> bool:
        """Whether the certificate can be read and the key is its own."""
        try:
            key = serialization.load_pem_private_key(self.key.encode(), password=None)
            return _spki(key.public_key()) == _spki(_read(self.certificate).public_key())
        except (ValueError, TypeError):
            return False


def why_new(pair: Optional[Pair], authority: Optional[Pair], names: Iterable[str], now: datetime.datetime, days: int) -> str:
    """Why a new certificate is needed; empty where the present one serves.

    :param authority: who has to have signed it; ``None`` for the authority itself.
    :param days: how many days before its end it is renewed.
    """
    if pair is None:
        return "is missing"
    if not pair.usable():
        return "cannot be read, or its key is another's"
    if authority is not None and not pair.signed_by(authority):
        return "is signed by another CA"
    if pair.end <= now:
        return "has expired on {0}".format(pair.end.date())
    if pair.end - now <= datetime.timedelta(days=days):
        return "expires on {0}".format(pair.end.date())
    missing = sorted(set(names) - pair.names)
    return "lacks {0}".format(", ".join(missing)) if missing else ""


def make_authority(name: str, now: datetime.datetime, days: int) -> Pair:
    """A CA that signs servers and clients, and no further CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(name, now, days, key.public_key())
        .issuer_name(_name(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=False), critical=True)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def make(authority: Pair, name: str, names: Sequence[str], now: datetime.datetime, days: int) -> Pair:
    """A certificate signed by ``authority``.

    :param names: DNS names and addresses of a server; none: it is a client's.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    signer = _read(authority.certificate)
    signing = serialization.load_pem_private_key(authority.key.encode(), password=None)
    end = min(now + datetime.timedelta(days=days), signer.not_valid_after_utc)
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _builder(name, now, days, key.public_key(), end)
        .issuer_name(signer.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(item) for item in names]), critical=False)
    return _pair(builder.sign(signing, hashes.SHA256()), key)


def is_address(text: str) -> bool:
    """Whether it is an address and no name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


# -- small parts
def _builder(name, now, days, public_key, end=None):
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACK)
        .not_valid_after(end or now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(text: str):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general(item: str):
    return x509.IPAddress(ipaddress.ip_address(item)) if is_address(item) else x509.DNSName(item)


def _usage(sign: bool):
    return x509.KeyUsage(
        digital_signature=sign, key_cert_sign=not sign, crl_sign=not sign, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pair(certificate, key) -> Pair:
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(certificate.public_bytes(serialization.Encoding.PEM).decode(), secret.decode())


def _read(text: str):
    return x509.load_pem_x509_certificate(text.encode())


def _spki(public_key) -> bytes:
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
