# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's rules for names, address ranges, ports and tags, checked before anything is sent. Private; pure.

Sources: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules,
https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources,
https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._model.resource import TAG_DEPLOYMENT, is_ours, tag

Range = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

_NETWORK_NAME = (r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?",
                 "letters, digits, '.', '_' and '-', beginning with a letter or digit and ending with one of them or '_'")
# kind -> (least, most characters, pattern, the pattern in words)
_RULES = {
    "resource group": (1, 90, r"[\w().-]*[\w()-]", "letters, digits, '.', '_', '-' and parentheses, not ending in '.'"),
    "virtual network": (2, 64) + _NETWORK_NAME,
    "virtual machine": (
        1, 64, r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?",
        "letters, digits and '-', beginning and ending with a letter or digit",
    ),
    "": (1, 80) + _NETWORK_NAME,
}
_DNS_LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")
_SERVICE_TAG = re.compile(r"[A-Za-z][A-Za-z0-9.]*")

MAX_TAGS, MAX_TAG_NAME, MAX_TAG_VALUE = 50, 512, 256
_TAG_FORBIDDEN = frozenset("<>%&\\?/")

# Ranges that no virtual network can have.
_RESERVED = tuple(ipaddress.ip_network(text) for text in (
    "224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32",
))


def check_name(option: str, value: Optional[str], kind: str = "") -> str:
    """The value, when Azure takes it as the name of ``kind`` (``virtual network``, ``subnet``, …)."""
    least, most, pattern, words = _RULES.get(kind, _RULES[""])
    text = value or ""
    if not (least <= len(text) <= most and re.fullmatch(pattern, text)):
        raise InputError(option, "{0} is '{1}', which Azure refuses as the name of a {2}: it takes {3} to {4} characters, {5}.".format(
            option, text, kind or "resource", least, most, words
        ))
    return text


def check_unique(option: str, names: Iterable[str]) -> None:
    """Names are compared without case."""
    seen: Dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            raise InputError(option, "{0} has '{1}' twice (Azure compares names without case): give each entry a name of its own.".format(
                option, name
            ))
        seen[name.lower()] = name


def check_tags(option: str, tags: Optional[Mapping[str, Any]]) -> Dict[str, str]:
    """Tags as text, when Azure takes them."""
    if tags is not None and len(tags) > MAX_TAGS - 5:
        raise InputError(option, "{0} has {1} entries: Azure takes {2} on a resource, and this collection needs up to 5 of them.".format(
            option, len(tags), MAX_TAGS
        ))
    checked = {}
    for name, value in (tags or {}).items():
        name, text = str(name), _tag_text(option, name, value)
        bad = sorted(set(name) & _TAG_FORBIDDEN)
        if bad or not name or len(name) > MAX_TAG_NAME:
            raise InputError(option, "{0} has the name '{1}': a tag's name has 1 to {2} characters and none of < > % & \\ ? /.".format(
                option, name, MAX_TAG_NAME
            ))
        if len(text) > MAX_TAG_VALUE:
            raise InputError(option, "{0}[{1}] has {2} characters: the value of a tag has at most {3}.".format(
                option, name, len(text), MAX_TAG_VALUE
            ))
        if name.lower().startswith("dockhost-"):
            raise InputError(option, "{0} has the name '{1}': names that begin with dockhost- are this collection's own; the option "
                             "deployment sets dockhost-deployment.".format(option, name))
        checked[name] = text
    return checked


def _tag_text(option: str, name: str, value: Any) -> str:
    if isinstance(value, (Mapping, list, tuple)):
        raise InputError(option, "{0}[{1}] is a list or a dictionary: the value of a tag is text.".format(option, name))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def check_deployment(value: str) -> str:
    """The value of the ownership tag."""
    if not value or len(value) > MAX_TAG_VALUE:
        raise InputError("deployment", "deployment is '{0}': it has 1 to {1} characters.".format(value, MAX_TAG_VALUE))
    return value


def owned_tags(tags: Mapping[str, str], deployment: str, actual: Optional[Mapping[str, Any]]) -> Dict[str, str]:
    """The tags that a resource is to have.

    Something that was there before us is not made ours, since what is ours is deleted with the deployment.
    """
    if actual is None or is_ours(actual, deployment):
        return dict(tags, **{TAG_DEPLOYMENT: deployment})
    return dict(tags)


def foreign_owner(actual: Optional[Mapping[str, Any]], deployment: str) -> Optional[str]:
    """The deployment that a resource belongs to, when that is another one."""
    owner = tag(actual, TAG_DEPLOYMENT)
    return owner if owner is not None and owner != deployment else None


def check_range(option: str, text: Any) -> Range:
    """An address range in CIDR form, without bits set behind its mask."""
    try:
        return ipaddress.ip_network(str(text), strict=True)
    except ValueError as error:
        try:
            meant = ipaddress.ip_network(str(text), strict=False)
        except ValueError:
            raise InputError(option, "{0} is '{1}', which is no address range: write one such as 10.60.0.0/16.".format(
                option, text)) from error
        raise InputError(option, "{0} is '{1}', which has address bits behind its mask: did you mean {2}?".format(
            option, text, meant)) from error


def check_network_range(option: str, text: Any) -> Range:
    """A range that a virtual network can have."""
    found = check_range(option, text)
    for reserved in _RESERVED:
        if found.version == reserved.version and found.overlaps(reserved):
            raise InputError(option, "{0} is '{1}', which overlaps {2}: Azure keeps that range for itself. Choose a private one such as "
                             "10.60.0.0/16.".format(option, text, reserved))
    least = 29 if found.version == 4 else 64
    if found.prefixlen > least or (found.version == 6 and found.prefixlen < 48):
        raise InputError(option, "{0} is '{1}': the smallest range that Azure takes is /{2}, since it keeps five addresses of each subnet."
                         .format(option, text, least))
    return found


def check_disjoint(ranges: Sequence[Tuple[str, Range]]) -> None:
    """Raise when two ranges overlap. ``ranges``: (option, range)."""
    ordered = sorted(ranges, key=lambda item: (item[1].version, int(item[1].network_address), item[1].prefixlen))
    for (one, first), (other, second) in zip(ordered, ordered[1:]):
        if first.version == second.version and first.overlaps(second):
            raise InputError(other, "{0} ({1}) overlaps {2} ({3}): give each a range of its own.".format(other, second, one, first))


def inside(child: Range, parents: Iterable[Range]) -> bool:
    """Whether a range lies in one of others."""
    return any(child.version == parent.version and child.subnet_of(parent) for parent in parents)  # type: ignore[arg-type]


def check_address(option: str, text: Any) -> str:
    """One IP address."""
    try:
        return str(ipaddress.ip_address(str(text)))
    except ValueError as error:
        raise InputError(option, "{0} is '{1}', which is no IP address.".format(option, text)) from error


def check_source(option: str, text: Any) -> str:
    """What a security rule takes as an address: ``*``, a range, an address, or a service tag such as Internet."""
    value = str(text)
    if value == "*" or _SERVICE_TAG.fullmatch(value):
        return value
    if "/" in value:
        return str(check_range(option, value))
    return check_address(option, value)


def check_port(option: str, value: Any, least: int = 1, most: int = 65535) -> int:
    """A port number."""
    if not least <= int(value) <= most:
        raise InputError(option, "{0} is {1}: a port is a number from {2} to {3}.".format(option, value, least, most))
    return int(value)


def check_port_range(option: str, value: Any) -> str:
    """``*``, a port, or two with a dash between."""
    text = str(value).strip()
    if text == "*":
        return text
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    if not found or int(found.group(2) or found.group(1)) > 65535 or int(found.group(1)) > int(found.group(2) or found.group(1)):
        raise InputError(option, "{0} is '{1}': write a port (80), a range of ports (8000-8099) or *.".format(option, text))
    return text


def check_dns_label(option: str, value: str) -> str:
    """The first part of the DNS name of a public address."""
    if not _DNS_LABEL.fullmatch(value):
        raise InputError(option, "{0} is '{1}': a DNS label has 3 to 63 lower-case letters, digits and '-', begins with a letter and ends "
                         "with a letter or digit.".format(option, value))
    return value


def check_zones(option: str, zones: Optional[Sequence[Any]]) -> List[str]:
    """Availability zones as Azure writes them."""
    texts = [str(zone) for zone in zones or []]
    for text in texts:
        if text not in ("1", "2", "3"):
            raise InputError(option, "{0} has '{1}': the zones of a region are 1, 2 and 3.".format(option, text))
    check_unique(option, texts)
    return texts
