# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""uniqueString() and guid(): the same values as Azure gives for the same arguments.

Microsoft does not document the algorithm of uniqueString; it is a 64-bit variant of MurmurHash3 whose results are
published with many examples (those in the tests come from deployments to Azure and from its own libraries).
"""
from __future__ import annotations

import uuid

_MASK = 0xFFFFFFFF
_C1, _C2 = 0xAB0E9789, 0x239B961B
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
# The namespace of guid(), which is a version 5 UUID (RFC 4122) of the arguments.
_GUID_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _MASK


def _mix(block: int, first: int, bits: int, second: int) -> int:
    return _rotate(block * first & _MASK, bits) * second & _MASK


def _avalanche(value: int) -> int:
    value = (value ^ value >> 16) * 0x85EBCA6B & _MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK
    return value ^ value >> 16


def murmur64(data: bytes) -> int:
    """The 64-bit hash that Azure uses for uniqueString and for the hash of a template."""
    low = high = 0
    whole = len(data) - len(data) % 8
    for at in range(0, whole, 8):
        low ^= _mix(int.from_bytes(data[at:at + 4], "little"), _C2, 15, _C1)
        low = (_rotate(low, 19) + high & _MASK) * 5 + 0x561CCD1B & _MASK
        high ^= _mix(int.from_bytes(data[at + 4:at + 8], "little"), _C1, 17, _C2)
        high = (_rotate(high, 13) + low & _MASK) * 5 + 0x0BCAA747 & _MASK
    rest = data[whole:]
    low ^= _mix(int.from_bytes(rest[:4], "little"), _C2, 15, _C1)
    high ^= _mix(int.from_bytes(rest[4:], "little"), _C1, 17, _C2)
    low, high = low ^ len(data), high ^ len(data)
    low = low + high & _MASK
    high = high + low & _MASK
    low, high = _avalanche(low), _avalanche(high)
    low = low + high & _MASK
    return (high + low & _MASK) << 32 | low


def unique_string(parts: list[str]) -> str:
    """13 characters of a-z and 2-7 that depend on all arguments and their order."""
    value = murmur64("-".join(parts).encode())
    return "".join(_ALPHABET[value >> shift & 31] if shift >= 0 else _ALPHABET[(value << -shift) & 31]
                   for shift in range(59, -6, -5))


def guid(parts: list[str]) -> str:
    """A UUID that depends on all arguments and their order."""
    return str(uuid.uuid5(_GUID_NAMESPACE, "-".join(parts)))
