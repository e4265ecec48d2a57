# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of raft: which changes of the managers leave a swarm that can still decide. Pure.

Rules: https://docs.docker.com/engine/swarm/raft/

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dockhost.azure.plugins.module_utils._swarm.model import Cluster, SwarmRefused


def majority(managers: int) -> int:
    """How many of this many managers must agree."""
    return managers // 2 + 1


class Managers:
    """The managers while a plan is made: each step is tried here before it is taken."""

    def __init__(self, cluster: Cluster, dead: t.Collection[str] = ()) -> None:
        """``dead``: ids of nodes whose host is known to be gone, whatever the swarm still thinks of them."""
        members = [node for node in cluster.nodes if node.in_raft]
        self.members = {node.id for node in members}
        # A node that was just promoted is not in raft yet; it is as good as its state.
        self.reachable = {
            node.id
            for node in members
            if node.id not in dead and (node.reachable if node.reachable is not None else node.state == "ready")
        }

    def promote(self, node_id: str, name: str) -> None:
        """Add a manager, which is reachable."""
        self._try("promoting", name, self.members | {node_id}, self.reachable | {node_id})

    def remove(self, node_id: str, name: str, verb: str = "demoting") -> None:
        """Take a manager out of raft."""
        if node_id in self.members:
            self._try(verb, name, self.members - {node_id}, self.reachable - {node_id})

    def stop(self, node_id: str, name: str) -> None:
        """Let a manager go down that stays a member."""
        self._try("stopping", name, self.members, self.reachable - {node_id})

    def _try(self, verb: str, name: str, members: set[str], reachable: set[str]) -> None:
        if not members:
            raise SwarmRefused(
                f"Refused: {verb} {name} would leave the swarm without a manager, and all that it knows would be lost; "
                "promote another host first."
            )
        needed = majority(len(members))
        if len(reachable) < needed:
            raise SwarmRefused(
                f"Refused: {verb} {name} would leave {len(reachable)} of {len(members)} managers reachable; "
                f"a majority needs {needed}. Bring the unreachable managers back, add a manager first, or set swarm_remove_gone where they are gone for good."
            )
        self.members, self.reachable = members, reachable
