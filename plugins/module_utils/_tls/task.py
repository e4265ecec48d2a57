# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of C(docker_certificates): which certificates and contexts are wanted, which are missing or near their end. Private."""

from __future__ import annotations

import datetime
import os
import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError
from ansible_collections.dockhost.azure.plugins.module_utils._tls import authority as ca
from ansible_collections.dockhost.azure.plugins.module_utils._tls import files

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_DNS = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*")
_CONTEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
LOCAL = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Server:
    """A host and what it is called by."""

    name: str
    names: Tuple[str, ...]
    address: str  # where a context finds it

    @classmethod
    def read(cls, given: Mapping[str, Any], reach: str) -> "Server":
        """From an item of ``hosts``, which may be a host as C(host_group) returns it.

        :raises InputError: names the item and the remedy.
        """
        name = given.get("name") if isinstance(given, Mapping) else None
        if not isinstance(name, str) or not _HOST.fullmatch(name) or name == files.CLIENT:
            raise InputError("hosts", "hosts has an item whose name is '{0}': give each host a name of letters, digits, '.', '_' and '-' (and "
                             "not 'client').".format(name))
        addresses = [given.get("public_address"), given.get("private_address")]
        if reach == "private":
            addresses.reverse()
        listed = given.get("names") or []
        if not isinstance(listed, (list, tuple)):
            raise InputError("hosts", "hosts: names of {0} has to be a list.".format(name))
        every = [str(item) for item in [name, *LOCAL, *addresses, given.get("fqdn"), *listed] if item]
        for item in every[1:]:
            if not ca.is_address(item) and not _DNS.fullmatch(item):
                raise InputError("hosts", "hosts: {0} has '{1}', which is neither an address nor a DNS name.".format(name, item))
        found = [str(item) for item in [given.get("fqdn") if reach == "public" else None, *addresses, *listed] if item]
        # Underscores are no part of DNS names: such a host is reached by its addresses only.
        usable = [item for item in every if ca.is_address(item) or _DNS.fullmatch(item)]
        return cls(name, tuple(dict.fromkeys(usable)), found[0] if found else name)


@dataclass
class Work:
    """What is to be written and removed, and why."""

    writes: Dict[str, Tuple[str, int]]
    removals: List[str]
    changes: List[Dict[str, str]]

    def apply(self) -> None:
        """Do it."""
        for path, (text, mode) in self.writes.items():
            files.write(path, text, mode)
        for path in self.removals:
            files.remove(path)


class Certificates:
    """One folder."""

    def __init__(self, params: Mapping[str, Any], now: datetime.datetime):
        self.params, self.now, self.folder = params, now, params["directory"]
        self.work = Work({}, [], [])
        self.servers = [Server.read(item, params["reach"]) for item in params["hosts"]]
        self.check()

    def check(self) -> None:
        """:raises InputError: options that cannot work."""
        for name, least, most in (("valid_days", 1, 3650), ("ca_valid_days", 1, 36500), ("renew_days", 0, 3650), ("port", 1, 65535)):
            if not least <= self.params[name] <= most:
                raise InputError(name, "{0} is {1}: give {2} to {3}.".format(name, self.params[name], least, most))
        if self.params["renew_days"] >= min(self.params["valid_days"], self.params["ca_valid_days"]):
            raise InputError("renew_days", "renew_days is {0} and certificates are valid for {1} days, so that each run would renew them: make "
                             "renew_days smaller.".format(self.params["renew_days"], min(self.params["valid_days"], self.params["ca_valid_days"])))
        twice = sorted({one.name for one in self.servers if [other.name.lower() for other in self.servers].count(one.name.lower()) > 1})
        if twice:
            raise InputError("hosts", "hosts has {0} more than once.".format(", ".join(twice)))
        for server in self.servers:
            if not _CONTEXT.fullmatch(self.context(server)):
                raise InputError("context_prefix", "'{0}' is no name of a docker context: it takes letters, digits and '_.+-'.".format(
                    self.context(server)
                ))

    def context(self, server: Server) -> str:
        """The name of a host's context."""
        return self.params["context_prefix"] + server.name

    def present(self) -> None:
        """Certificates of the CA, the client and all hosts, and their contexts."""
        signer = self._pair("", None, ())
        client = self._pair(files.CLIENT, signer, ())
        for server in self.servers:
            self._pair(server.name, signer, server.names)
        if self.params["contexts"]:
            for server in self.servers:
                self._context(server, signer, client)

    def absent(self) -> None:
        """Certificates and contexts of the hosts go; the CA and the client's stay for the others."""
        for server in self.servers:
            gone = [files.place(self.folder, server.name)] + list(files.context_folders(self.params["docker_config"], self.context(server)))
            there = [path for path in gone if os.path.isdir(path)]
            if there:
                self.work.removals += there
                self.work.changes.append({"what": "host " + server.name, "reason": "is no longer wanted"})

    def result(self) -> Dict[str, Any]:
        """The return values but ``changed``; no key is in it."""
        shown = []
        for server in self.servers if self.params["state"] == "present" else ():
            certificate, key = files.names(self.folder, server.name)
            text = self.work.writes[certificate][0] if certificate in self.work.writes else files.read(certificate) or ""
            shown.append({
                "name": server.name, "names": list(server.names), "cert_file": certificate, "key_file": key,
                "not_after": ca.Pair(text, "").end.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "context": self.context(server) if self.params["contexts"] else None,
            })  # fmt: skip
        return {"certificates": shown, "ca_file": files.names(self.folder, "")[0], "changes": self.work.changes}

    def diff(self) -> Dict[str, str]:
        """What changes, without what is in the files."""
        after = "".join("{what}: {reason}\n".format(**change) for change in self.work.changes)
        return {"before": "", "after": after}

    # -- small parts
    def _pair(self, whose: str, signer: Optional[ca.Pair], names: Sequence[str]) -> ca.Pair:
        have = files.read_pair(self.folder, whose)
        if signer is None and have is None and any(files.read(path) is not None for path in files.names(self.folder, "")):
            raise InputError("directory", "directory {0} has only one of ca.pem and ca-key.pem, and a new CA would make all certificates void: put "
                             "the other one back, or take both away.".format(self.folder))
        why = ca.why_new(have, signer, names, self.now, self.params["renew_days"])
        if have is not None and not why:
            return have
        if signer is None:
            made = ca.make_authority(self.params["ca_name"], self.now, self.params["ca_valid_days"])
        else:
            made = ca.make(signer, whose, names, self.now, self.params["valid_days"])
        certificate, key = files.names(self.folder, whose)
        self.work.writes[key] = (made.key, 0o600)
        self.work.writes[certificate] = (made.certificate, 0o644)
        self.work.changes.append({"what": "CA" if signer is None else whose if whose == files.CLIENT else "host " + whose, "reason": why})
        return made

    def _context(self, server: Server, signer: ca.Pair, client: ca.Pair) -> None:
        address = "[{0}]".format(server.address) if ":" in server.address else server.address
        host = "tcp://{0}:{1}".format(address, self.params["port"])
        name = self.context(server)
        wanted = files.context_files(self.params["docker_config"], name, host, "Docker host of dockhost.azure", signer.certificate, client)
        differs = [path for path, text in wanted.items() if files.read(path) != text]
        if differs:
            known = any(os.path.exists(path) for path in wanted)
            self.work.writes.update({path: (wanted[path], 0o600) for path in differs})
            self.work.changes.append({"what": "context " + name, "reason": "differs" if known else "is missing"})
