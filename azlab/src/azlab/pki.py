# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own certificate authority, and the certificate that its HTTPS server shows."""
from __future__ import annotations

import datetime as dt
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# What a client may call the lab. The names of Azure are there for clients that can only be led here by a proxy.
SERVER_NAMES = ("localhost", "management.azure.com", "login.microsoftonline.com", "azlab.internal")
SERVER_ADDRESSES = ("127.0.0.1", "::1")
_YEARS = dt.timedelta(days=3650)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(data)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + _YEARS))


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature=True, key_cert_sign=ca, crl_sign=ca, content_commitment=False,
                         key_encipherment=False, data_encipherment=False, key_agreement=False,
                         encipher_only=False, decipher_only=False)


def ensure(home: Path, lab: str) -> None:
    """Make CA, server certificate and the key that signs tokens, where they are not there yet."""
    if (home / "ca.pem").exists() and (home / "server.pem").exists() and (home / "token-key.pem").exists():
        return
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name(f"azlab CA ({lab})")
    ca = (_builder(ca_name, ca_name, ca_key.public_key())
          .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
          .add_extension(_usage(ca=True), critical=True)
          .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
          .sign(ca_key, hashes.SHA256()))
    write_private(home / "ca-key.pem", _pem(ca_key))
    (home / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    certificate, key = issue(home, SERVER_NAMES, SERVER_ADDRESSES)
    write_private(home / "server-key.pem", key)
    (home / "server.pem").write_bytes(certificate)
    write_private(home / "token-key.pem", _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))


def issue(home: Path, names: tuple[str, ...], addresses: tuple[str, ...] = ()) -> tuple[bytes, bytes]:
    """(certificate, key), both PEM, of a server, signed by the lab's CA."""
    ca = x509.load_pem_x509_certificate((home / "ca.pem").read_bytes())
    ca_key = serialization.load_pem_private_key((home / "ca-key.pem").read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives = [x509.DNSName(n) for n in names] + [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
    certificate = (_builder(_name(names[0]), ca.subject, key.public_key())
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                   .add_extension(_usage(ca=False), critical=True)
                   .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
                   .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
                                  critical=False)
                   .sign(ca_key, hashes.SHA256()))
    return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)
