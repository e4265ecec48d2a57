# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machine scale sets of orchestration mode Flexible: the verbs. What they do to machines is in `scale_effects`.

The instances are ordinary virtual machines that refer to the set. The profile is kept outside `properties`: it refers to
subnets and pools for machines that are not there yet, and must not count as a user of them.
"""
from __future__ import annotations

import json
import uuid
from dataclasses import replace
from functools import partial
from typing import Any

from azlab.arm import shapes
from azlab.arm.compute import memberships, scale_model, vm_body, vm_view
from azlab.arm.compute.base import NIC, ComputeType, invalid, listed, section, whole
from azlab.arm.compute.placements import check_placement
from azlab.arm.compute.scale_effects import Effects
from azlab.arm.identity.carried import carry
from azlab.arm.network.base import reference
from azlab.arm.network.interfaces import Interfaces
from azlab.arm.types import Registry
from azlab.arm.wire import Answer, Call
from azlab.errors import arm_error
from azlab.lab import Lab
from azlab.operations import now_text
from azlab.store import Resource

_PLAIN = ("upgradePolicy", "scaleInPolicy", "automaticRepairsPolicy", "additionalCapabilities", "priorityMixPolicy", "zoneBalance",
          "spotRestorePolicy", "resiliencyPolicy", "scheduledEventsPolicy", "proximityPlacementGroup", "constrainedMaximumCapacity",
          "singlePlacementGroup")
_RULES = ("Default", "OldestVM", "NewestVM")
_MODES = ("Manual", "Automatic", "Rolling")
ACTIONS = ("start", "powerOff", "deallocate", "restart", "reimage", "delete")


class ScaleSets(ComputeType):
    name = memberships.SCALE_SET
    name_limit = 64

    def __init__(self, lab: Lab, registry: Registry) -> None:
        super().__init__(lab)
        self.registry = registry
        self.effects = Effects(lab, registry)
        for action in ACTIONS:
            self.actions[action.lower()] = partial(self._batch, action=action)
        self.actions["manualupgrade"] = self.upgrade
        self.get_actions.update(instanceview=self.instance_view, skus=self.skus)

    # -- reading
    def render(self, resource: Resource, call: Call | None = None) -> dict[str, Any]:
        wire = self.head(resource)
        if "sku" in resource.body:
            wire["sku"] = {**resource.body["sku"], "capacity": self.capacity(resource)}
        wire["etag"] = self.etag(resource)
        p = resource.properties
        shown: dict[str, Any] = {k: p[k] for k in ("singlePlacementGroup", "orchestrationMode", "upgradePolicy") if k in p}
        if "profile" in resource.body:
            shown["virtualMachineProfile"] = {**resource.body["profile"], "timeCreated": resource.private["profiled"]}
            if call and "userdata" in call.query.get("$expand", "").lower() and "userData" in resource.private["hidden"]:
                shown["virtualMachineProfile"]["userData"] = resource.private["hidden"]["userData"]
        shown["provisioningState"] = resource.state
        shown.update({k: v for k, v in p.items() if k not in shown})
        shown["timeCreated"] = resource.created
        wire["properties"] = shown
        return wire

    def capacity(self, resource: Resource) -> int:
        """What is asked for while the set works on it, afterwards what is there: machines come and go by their own requests too."""
        if self.lab.operations.running_for(resource.id) and resource.private.get("wanted") is not None:
            return int(resource.private["wanted"])
        return len(memberships.instances(self.lab, resource))

    def instance_view(self, call: Call) -> Answer:
        resource = self.require(call)
        counts: dict[str, int] = {}
        for machine in memberships.instances(self.lab, resource):
            for status in vm_view.statuses(machine):
                counts[status["code"]] = counts.get(status["code"], 0) + 1
        return Answer(200, {"virtualMachine": {"statusesSummary": [{"code": c, "count": n} for c, n in counts.items()]},
                            "statuses": vm_view.statuses(resource), "orchestrationServices": []})

    def skus(self, call: Call) -> Answer:
        self.require(call)
        return Answer(200, {"value": [
            {"resourceType": self.name, "sku": {"name": s.name, "tier": "Standard"},
             "capacity": {"minimum": 0, "maximum": memberships.LIMIT, "defaultCapacity": 1, "scaleType": "Automatic"}}
            for s in self.lab.catalogue.sizes.values()]})

    # -- writing
    def put(self, call: Call) -> Answer:
        body, existing, kept = self.checked(call)
        vm_body.check_name(call.id.name)
        if existing and self.lab.operations.running_for(existing.id):
            raise arm_error("conflict")
        if existing and "tags" not in kept and "tags" in existing.body:
            kept["tags"] = existing.body["tags"]
        self._zones(kept, existing)
        if "SystemAssigned" in str(kept.get("identity", {}).get("type", "")):
            raise invalid("identity.type", "Virtual Machine Scale Sets with orchestration mode Flexible support user assigned "
                                           "identities only.")
        carry(self.lab, call, kept, existing)
        p = section(body, "properties")
        kept["properties"] = self._properties(p, existing, kept)
        check_placement(self.lab, kept["properties"], kept["location"])
        wanted, hidden = self._model(call, p, body, existing, kept)
        resource = self.save(call, kept, existing, "Updating" if existing else "Creating")
        resource.private = {**resource.private, "wanted": wanted, "hidden": hidden, "error": None}
        if "profile" in kept:
            resource.private["profiled"] = now_text()
        self.lab.store.put(resource)
        quick = existing or "profile" not in kept               # a set that makes no machines is an entry and nothing more
        operation = self.lab.start("put scale set", resource, "compute", what=self.name, method="UPDATE" if quick else "PUT")
        body = self.render(resource)
        answer = Answer(200 if existing and resource.revision > 1 else 201, body, {"ETag": body["etag"]})
        return self.started(call, answer, operation, location=False, retry_after=10)

    def _properties(self, p: dict[str, Any], existing: Resource | None, kept: dict[str, Any]) -> dict[str, Any]:
        """What stands beside the profile, checked; what an update does not say stays."""
        old = existing.properties if existing else {}
        mode = p.get("orchestrationMode", old.get("orchestrationMode", "Uniform"))
        if str(mode).lower() not in ("flexible", "uniform"):
            raise invalid("orchestrationMode", f"The value '{mode}' of parameter 'orchestrationMode' is not valid. Allowed values: "
                                               "Uniform, Flexible.")
        if old and str(mode).lower() != old["orchestrationMode"].lower():
            raise arm_error("changed", target="orchestrationMode")
        if str(mode).lower() == "uniform":
            raise arm_error("lab_cannot", text="This lab makes virtual machine scale sets of orchestrationMode 'Flexible' only; a "
                                               "request that names no mode asks for 'Uniform'.")
        if p.get("overprovision"):
            raise invalid("overprovision", "Overprovisioning is not supported for Virtual Machine Scale Sets with orchestration mode "
                                           "Flexible.")
        domains = whole(p.get("platformFaultDomainCount", old.get("platformFaultDomainCount", 1)), "platformFaultDomainCount")
        if old and domains != old["platformFaultDomainCount"]:
            raise arm_error("changed", target="platformFaultDomainCount")
        if not 1 <= domains <= (1 if kept.get("zones") else 3):
            raise invalid("platformFaultDomainCount", f"The specified fault domain count {domains} must fall in the range 1 to "
                                                      f"{1 if kept.get('zones') else 3}.")
        if old and "proximityPlacementGroup" in p and p["proximityPlacementGroup"] != old.get("proximityPlacementGroup"):
            raise arm_error("changed", target="proximityPlacementGroup")
        rules = section(p, "scaleInPolicy").get("rules", [])
        if not isinstance(rules, list) or any(r not in _RULES for r in rules):
            raise invalid("scaleInPolicy.rules", f"The value of parameter 'scaleInPolicy.rules' is not valid. Allowed values: "
                                                 f"{', '.join(_RULES)}.")
        new = {k: scale_model.merged(old.get(k), p[k]) if k in p else old[k] for k in _PLAIN if k in p or k in old}
        new.update(orchestrationMode="Flexible", platformFaultDomainCount=domains, uniqueId=old.get("uniqueId") or str(uuid.uuid4()))
        new.setdefault("constrainedMaximumCapacity", False)
        if "mode" in new.get("upgradePolicy", {}):
            given = new["upgradePolicy"]["mode"]
            mode = next((m for m in _MODES if m.lower() == str(given).lower()), None)
            if mode is None:
                raise invalid("upgradePolicy.mode", f"The value '{given}' of parameter 'upgradePolicy.mode' is not valid. Allowed "
                                                    f"values: {', '.join(_MODES)}.")
            new["upgradePolicy"] = {**new["upgradePolicy"], "mode": mode}
        return new

    def _zones(self, kept: dict[str, Any], existing: Resource | None) -> None:
        before = set(existing.body.get("zones", ())) if existing else set()
        if not before <= set(kept.get("zones", ())) or (existing and not before and kept.get("zones")):
            raise arm_error("changed", target="zones")          # zones can be added to a zonal set, nothing else

    def _model(self, call: Call, p: dict[str, Any], body: dict[str, Any], existing: Resource | None,
               kept: dict[str, Any]) -> tuple[int | None, dict[str, Any]]:
        """(instances wanted, secrets of the profile); lays sku and profile into `kept`. None: the set makes no machines itself."""
        hidden = existing.private["hidden"] if existing else {}
        if existing and "profile" in existing.body:
            given = scale_model.with_secrets(existing.body["profile"], hidden)
        else:
            given = {}
        given = scale_model.merged(given, section(p, "virtualMachineProfile"))
        if not given:
            if section(body, "sku").get("capacity"):
                raise invalid("sku.capacity", "A Virtual Machine Scale Set without a virtualMachineProfile cannot make instances.")
            return None, {}
        sku = {**(existing.body.get("sku", {}) if existing else {}), **section(body, "sku")}
        if not sku.get("name"):
            raise arm_error("required", target="sku.name")
        self._immutable(existing, given)
        shown, new_hidden = scale_model.profile(self.lab, given, sku["name"], kept["location"])
        named = {e["name"] for e in shown.get("extensionProfile", {}).get("extensions", [])}
        kept_secrets = {n: v for n, v in hidden.get("protected", {}).items() if n in named}
        new_hidden["protected"] = {**kept_secrets, **new_hidden.get("protected", {})}
        size = vm_body.check_size(self.lab, {"hardwareProfile": {"vmSize": sku["name"]}}, kept["location"])
        have = len(memberships.instances(self.lab, existing)) if existing else 0
        wanted = whole(sku.get("capacity", have) if "capacity" in section(body, "sku") or not existing else have, "sku.capacity")
        if not 0 <= wanted <= memberships.LIMIT:
            raise invalid("sku.capacity", f"The value {wanted} of parameter 'sku.capacity' must be between 0 and {memberships.LIMIT}.")
        nics = self.registry.types[NIC.lower()]
        assert isinstance(nics, Interfaces)
        for wanted_id in scale_model.references(shown):
            nics.target(reference(wanted_id), str(call.id.root), kept["location"])
        if wanted > have:
            self.lab.limits.check_cores(size, kept["location"], call.subscription, count=wanted - have, spot=shown.get("priority") == "Spot")
        kept["sku"] = {"name": sku["name"], "tier": sku.get("tier", "Standard"), "capacity": wanted}
        kept["profile"] = shown
        kept["properties"].setdefault("singlePlacementGroup", False)
        kept["properties"].setdefault("upgradePolicy", {"mode": "Manual"})
        return wanted, new_hidden

    @staticmethod
    def _immutable(existing: Resource | None, given: dict[str, Any]) -> None:
        if existing is None or "profile" not in existing.body:
            return
        old = existing.body["profile"]["osProfile"]
        for key in ("adminUsername", "computerNamePrefix"):
            if given.get("osProfile", {}).get(key) != old[key]:
                raise arm_error("changed", target=f"osProfile.{key}")

    def patch(self, call: Call) -> Answer:
        """PATCH takes the same members; what it leaves out stays, as with a PUT of a set that exists."""
        resource = self.require(call, writing=True)
        body = call.body()
        shapes.check(body)
        if "identity" in body:
            body["identity"] = json.loads(call.raw_body)["identity"]        # with its nulls, which take identities away
        return self.put(replace(call, raw_body=json.dumps({"location": resource.location, **body}).encode()))

    def delete(self, call: Call) -> Answer:
        """With its machines. `forceDeletion=true` changes nothing here: the lab always takes a host's power away."""
        return self.delete_once(call, "delete scale set")

    # -- many instances at once
    def _batch(self, call: Call, action: str) -> Answer:
        """POST …/start and the like: on the instances that `instanceIds` names, else on all (delete: only on those named)."""
        resource = self.require(call, writing=True)
        body = call.optional_body()
        ids = body.get("instanceIds", [])
        if not isinstance(ids, list):
            raise arm_error("bad_content", why="Error converting the value of 'instanceIds'. Path 'instanceIds'.")
        if self.lab.operations.running_for(resource.id):
            raise arm_error("conflict")
        machines = {m.name.lower(): m for m in memberships.instances(self.lab, resource)}
        for name in ids:
            if name != "*" and str(name).lower() not in machines:
                raise arm_error("set_instance", target="instanceIds", id=name)
        if action == "delete" and not ids:
            raise arm_error("required", target="instanceIds")
        chosen = [machines[str(n).lower()] for n in ids if n != "*"] if ids and "*" not in ids else [
            m for m in machines.values() if action == "delete" or not m.private.get("protection", {}).get("protectFromScaleSetActions")]
        resource.state, resource.private["wanted"] = "Updating", None
        self.lab.store.put(resource)
        operation = self.lab.start("scale set action", resource, "compute", what=f"{self.name}/{action}", method="POST",
                                   args={"action": action, "machines": [m.id for m in chosen]})
        return self.started(call, Answer(202), operation, location=True, retry_after=10)

    def upgrade(self, call: Call) -> Answer:
        self.require(call, writing=True)
        raise arm_error("lab_cannot", text="This lab cannot bring an instance to another model of its scale set: delete it, and let "
                                           "the set make another.")


def extensions_of(resource: Resource) -> list[dict[str, Any]]:
    """The extensions of a set's profile."""
    return listed(section(resource.body.get("profile", {}), "extensionProfile"), "extensions")
