# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to a signed-in Client. Private to this collection."""

from __future__ import annotations

import importlib
import importlib.util
import os
import traceback
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Mapping, Optional, Tuple

from ansible_collections.dockhost.azure.plugins.module_utils._azure import cloud as clouds
from ansible_collections.dockhost.azure.plugins.module_utils._azure import signin, transport
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import Client
from ansible_collections.dockhost.azure.plugins.module_utils._errors import AzureError, SignInError

LIBRARIES = (
    ("aiohttp", "aiohttp"), ("azure.identity", "azure-identity"), ("azure.mgmt.compute", "azure-mgmt-compute"),
    ("azure.mgmt.network", "azure-mgmt-network"),
)


def missing_library() -> Tuple[Optional[str], Optional[str]]:
    """The first library of requirements.txt that cannot be found, and the traceback of importing it.

    The libraries are only looked for: importing all of them costs more than a second of CPU time.
    """
    for name, package in LIBRARIES:
        try:
            found = importlib.util.find_spec(name)
        except ImportError:  # a parent package is missing
            found = None
        if found is None:
            try:
                importlib.import_module(name)
            except ImportError:
                return package, traceback.format_exc()
    return None, None


@asynccontextmanager
async def open_client(params: Mapping[str, Any], sdk: str = "network") -> AsyncIterator[Client]:
    """Sign in as the options say (see AZURE_ARGS) and yield a Client; no request is sent before the first one.

    :param sdk: ``network`` or ``compute``: whose client carries the requests (either can carry any).
    :raises InputError: an option cannot work.
    :raises SignInError: nobody to sign in as, no endpoint, no trust, no token, no such subscription.
    """
    way = await signin.resolve(params, os.environ)
    session = transport.open_session(transport.trust(params.get("ca_file")))
    try:
        cloud = await _cloud(way, session)
        carrier = transport.Transport(way, cloud, session, sdk)
        try:
            yield Client(carrier.send, cloud.resource_manager, way.subscription_id, carrier.renew)
        except AzureError as error:
            raise _subscription(error, way) or error from None
        finally:
            await carrier.close()
    finally:
        await session.close()


async def _cloud(way: signin.SignIn, session: Any) -> clouds.Cloud:
    if clouds.is_endpoint(way.cloud_environment):
        return await transport.read_cloud(session, clouds.endpoint(way.cloud_environment))
    return clouds.named(way.cloud_environment)


def _subscription(error: AzureError, way: signin.SignIn) -> Optional[SignInError]:
    """The sentence for a subscription that is not there, or that this client may not see."""
    if error.code in ("SubscriptionNotFound", "InvalidSubscriptionId"):
        return SignInError((
            "There is no subscription '{0}' that client {1} can see (subscription_id, AZURE_SUBSCRIPTION_ID): check the "
            "id, and that the client has a role in it."
        ).format(way.subscription_id, way.client_id or "of " + way.origin), error.code)
    return None
