# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public SSH keys: what makes one usable (private to dockhost.azure, pure)."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import List, Optional

KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)

# What a machine on Azure may be created with, and how long an RSA key has to be:
# https://learn.microsoft.com/azure/virtual-machines/linux/mac-create-ssh-keys#supported-ssh-key-formats
AZURE_KEY_TYPES = ("ssh-rsa", "ssh-ed25519")
AZURE_RSA_BITS = 2048


def _fields(blob: bytes) -> Optional[List[bytes]]:
    """The length-prefixed fields of a key (RFC 4253, section 6.6), or None where it is cut off."""
    fields, position = [], 0
    while position < len(blob):
        if position + 4 > len(blob):
            return None
        (length,) = struct.unpack(">I", blob[position : position + 4])
        position += 4
        if position + length > len(blob):
            return None
        fields.append(blob[position : position + length])
        position += length
    return fields


def key_problem(kind: str, data: str) -> Optional[str]:
    """What is wrong with a public key, as a part of a sentence, or None."""
    if kind not in KEY_TYPES:
        return f"'{kind}' is not a key type of OpenSSH"
    try:
        blob = base64.b64decode(data.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return "its second word is not base64"
    fields = _fields(blob)
    if not fields or len(fields) < 2:
        return "it is cut off"
    if fields[0] != kind.encode("ascii"):
        return f"it is not of the type '{kind}' that it is said to be"
    return None


def line_problem(text: str) -> Optional[str]:
    """What is wrong with the line of a public key's file, as a part of a sentence, or None."""
    if "PRIVATE KEY" in text:
        return "it is a private key: give the file that ends in .pub"
    words = text.split()
    if len(words) < 2 or "\n" in text.strip():
        return "it is not one line of the form 'ssh-ed25519 AAAA… comment'"
    return key_problem(words[0], words[1])


def login_key_problem(text: str) -> Optional[str]:
    """What keeps Azure from accepting a public key for the administrator, as a part of a sentence, or None."""
    problem = line_problem(text)
    if problem:
        return problem
    words = text.split()
    if words[0] not in AZURE_KEY_TYPES:
        return f"Azure does not take keys of the type '{words[0]}'; it takes ssh-ed25519 and ssh-rsa"
    if words[0] == "ssh-rsa":
        bits = int.from_bytes((_fields(base64.b64decode(words[1])) or [b""])[-1], "big").bit_length()
        if bits < AZURE_RSA_BITS:
            return f"it is an RSA key of {bits} bits and Azure asks for {AZURE_RSA_BITS} or more"
    return None


def same_key(one: str, other: str) -> bool:
    """Whether two keys are the same: comment and spacing do not count."""
    return one.split()[:2] == other.split()[:2]
