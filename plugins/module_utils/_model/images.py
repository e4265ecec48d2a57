# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image a host starts from (private to dockhost.azure, pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Optional

EXAMPLE = "Canonical:ubuntu-24_04-lts:server:latest"

_ID = re.compile(
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/"
    r"(images/[^/]+|galleries/[^/]+/images/[^/]+(/versions/[^/]+)?)$",
    re.IGNORECASE,
)
_DEFINITION = re.compile(r"^/subscriptions/.*/galleries/[^/]+/images/[^/]+$", re.IGNORECASE)
_SHARED = re.compile(r"^/(CommunityGalleries|SharedGalleries)/[^/]+/Images/[^/]+(/Versions/[^/]+)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Image:
    """An image of the marketplace (four parts), or one by id (own, gallery, shared or community gallery)."""

    publisher: str = ""
    offer: str = ""
    sku: str = ""
    version: str = ""
    id: str = ""

    @classmethod
    def parse(cls, text: str) -> Optional[Image]:
        """Read C(publisher:offer:sku[:version]) or an id; None where it is neither."""
        text = text.strip()
        if _ID.match(text) or _SHARED.match(text):
            return cls(id=text)
        parts = text.split(":")
        if len(parts) == 3:
            parts.append("latest")
        if len(parts) != 4 or not all(re.match(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", part) for part in parts):
            return None
        return cls(*parts)

    @property
    def text(self) -> str:
        """The image as people write it."""
        return self.id or ":".join((self.publisher, self.offer, self.sku, self.version))

    @property
    def of_gallery(self) -> bool:
        """Whether this is an image of a gallery of one's own, without a version: Azure takes the newest."""
        return bool(_DEFINITION.match(self.id))

    @property
    def newest(self) -> bool:
        """Whether the version is left to Azure."""
        return self.version.lower() == "latest"

    def reference(self) -> Dict[str, Any]:
        """C(imageReference) of ARM. https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update"""
        lowered = self.id.lower()
        if lowered.startswith("/communitygalleries/"):
            return {"communityGalleryImageId": self.id}
        if lowered.startswith("/sharedgalleries/"):
            return {"sharedGalleryImageId": self.id}
        if self.id:
            return {"id": self.id}
        return {"publisher": self.publisher, "offer": self.offer, "sku": self.sku, "version": self.version}
