# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request at a time through an asynchronous SDK client, and what its failures mean. Private to this collection.

The libraries are imported when they are used: an import costs up to half a second of CPU time.
"""

from __future__ import annotations

import logging
import asyncio
import os
import re
import ssl
from typing import Any, Mapping, Optional, Tuple, Union

from ansible_collections.dockhost.azure.plugins.module_utils._azure import retry
from ansible_collections.dockhost.azure.plugins.module_utils._azure.client import CONCURRENCY, Response, parse
from ansible_collections.dockhost.azure.plugins.module_utils._azure.cloud import METADATA_PATH, Cloud, from_metadata
from ansible_collections.dockhost.azure.plugins.module_utils._azure.signin import SignIn, not_logged_in
from ansible_collections.dockhost.azure.plugins.module_utils._errors import InputError, SignInError, TransportError, from_body

CONNECT_SECONDS = 20
READ_SECONDS = 120
USER_AGENT = "dockhost.azure/0.1.0"

_AADSTS = re.compile(r"AADSTS(\d+): (.*?)(?: Trace ID:|\r|\n|$)")
# What to look at, by Entra ID's code: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_ADVICE = {
    "7000215": "Check the secret (AZURE_SECRET): it is the secret's value, not its id.",
    "7000222": "The secret (AZURE_SECRET) has expired: make a new one.",
    "700016": "Check the client id (AZURE_CLIENT_ID) and the tenant (AZURE_TENANT).",
    "90002": "Check the tenant (AZURE_TENANT).",
    "900023": "Check the tenant (AZURE_TENANT).",
    "500011": "Check the cloud (AZURE_CLOUD_ENVIRONMENT): it does not belong to this tenant.",
}


def trust(ca_file: Optional[str]) -> ssl.SSLContext:
    """The TLS settings: the system's authorities, or those of a file.

    One context for the whole run: the SDK would read the file again, and connect anew, for every request.
    """
    if not ca_file:
        return ssl.create_default_context()
    if not os.path.exists(ca_file):
        raise InputError("ca_file", "ca_file (AZURE_CA_FILE, REQUESTS_CA_BUNDLE) is {0}, which does not exist.".format(ca_file))
    try:
        if os.path.isdir(ca_file):
            return ssl.create_default_context(capath=ca_file)
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InputError("ca_file", (
            "ca_file (AZURE_CA_FILE, REQUESTS_CA_BUNDLE) is {0}, which holds no certificates in PEM form: {1}."
        ).format(ca_file, error)) from error


def open_session(context: ssl.SSLContext) -> Any:
    """The HTTP session that ARM and sign-in share; proxies come from the environment."""
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=CONCURRENCY + 8), trust_env=True, auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def read_cloud(session: Any, address: str) -> Cloud:
    """Ask an ARM endpoint what it is. A busy or broken endpoint is asked again; one that is not there is not."""
    import aiohttp

    for delay in (*retry.BROKEN_STEPS, None):
        try:
            status, headers, text = await _metadata(session, address)
        except aiohttp.ClientSSLError as error:
            raise SignInError(_untrusted(address, error)) from error
        except (aiohttp.ClientError, OSError) as error:
            if delay is None or isinstance(error, aiohttp.ClientConnectorError):
                raise SignInError(_unreachable(address, error)) from error
        else:
            if delay is None or (status != 429 and status not in retry.BROKEN_STATUSES):
                break
            delay = retry.retry_after(headers) or delay
        await asyncio.sleep(delay)
    if status == 429 or status in retry.BROKEN_STATUSES:
        raise SignInError(_unreachable(address, "it answers {0}".format(from_body(status, parse(text)))))
    return from_metadata(address, parse(text))


async def _metadata(session: Any, address: str) -> Tuple[int, Mapping[str, str], str]:
    """One question: status, headers by lower-case name, text."""
    import aiohttp

    async with session.get(
        address + METADATA_PATH, timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
        headers={"Accept-Encoding": "identity", "User-Agent": USER_AGENT},
    ) as answer:
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, await answer.text()


class Transport:
    """A signed-in SDK client that sends single requests. Made inside a running event loop."""

    def __init__(self, way: SignIn, cloud: Cloud, session: Any, sdk: str):
        # The SDKs log what we turn into sentences; without a handler Python would print it to stderr.
        logging.getLogger("azure").addHandler(logging.NullHandler())
        self.way, self.cloud, self.session = way, cloud, session
        self._credential = _Renewable(self)
        self._sdk = self._open(sdk)

    def _open(self, sdk: str) -> Any:
        from azure.core.pipeline.policies import AsyncRetryPolicy

        if sdk == "compute":
            from azure.mgmt.compute.aio import ComputeManagementClient as Sdk
        else:
            from azure.mgmt.network.aio import NetworkManagementClient as Sdk
        return Sdk(
            self._credential, self.way.subscription_id, base_url=self.cloud.resource_manager,
            credential_scopes=[self.cloud.scope], transport=self.transport(), user_agent=USER_AGENT,
            retry_policy=AsyncRetryPolicy.no_retries(), connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS,
        )

    def transport(self) -> Any:
        """The session as the SDKs take it; closing it is ours."""
        from azure.core.pipeline.transport import AioHttpTransport

        return AioHttpTransport(
            session=self.session, session_owner=False, connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS,
        )

    async def send(self, method: str, url: str, json: Any, headers: Optional[Mapping[str, str]] = None) -> Response:
        """Send one request, once. See ``client.Send``."""
        from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseError
        from azure.core.rest import HttpRequest

        request = HttpRequest(method, url, json=json, headers=headers) if json is not None else HttpRequest(method, url, headers=headers)
        try:
            answer = await self._sdk.send_request(request)
            text = answer.text()
        except ClientAuthenticationError as error:
            raise self._refused(error) from error
        except ServiceRequestError as error:
            raise self._not_sent(error) from error
        except ServiceResponseError as error:
            raise TransportError("The connection to {0} was cut: {1}.".format(self.cloud.resource_manager, error), True) from error
        told = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, told, parse(text))

    async def renew(self) -> None:
        """Sign in anew: the next request carries another token."""
        await self._credential.renew()

    async def close(self) -> None:
        """End the SDK client and the credential; the session stays open."""
        await self._sdk.close()
        await self._credential.close()

    def _not_sent(self, error: Exception) -> Exception:
        """ServiceRequestError also covers a server that hung up before it answered: then the request may have arrived."""
        import aiohttp

        inner = getattr(error, "inner_exception", None)
        if isinstance(inner, aiohttp.ClientSSLError):
            return SignInError(_untrusted(self.cloud.resource_manager, inner))
        if isinstance(inner, aiohttp.ClientConnectorError):
            return TransportError(_unreachable(self.cloud.resource_manager, inner))
        return TransportError("The connection to {0} was cut: {1}.".format(self.cloud.resource_manager, inner or error), True)

    def _refused(self, error: Exception) -> SignInError:
        """Entra ID, the Azure CLI or the managed identity gave no token."""
        text = str(getattr(error, "message", "") or error)
        found = _AADSTS.search(text)
        if found:
            code = "AADSTS" + found.group(1)
            advice = _ADVICE.get(found.group(1), "Check AZURE_CLIENT_ID, AZURE_SECRET and AZURE_TENANT.")
            return SignInError("Azure refused the sign-in of client {0} in tenant {1} (from {2}): {3}: {4} {5}".format(
                self.way.client_id, self.way.tenant, self.way.origin, code, found.group(2).strip(), advice
            ), code)
        said = (text.strip().splitlines() or ["no reason was given"])[0]
        if self.way.kind == "cli":
            return SignInError(not_logged_in(said))
        if self.way.kind == "msi":
            return SignInError("There is no managed identity here that Azure knows ({0}): give this machine one, or choose "
                               "another auth_source.".format(said.rstrip(".")))
        return SignInError("Sign-in at {0} failed: {1}".format(self.cloud.login, said))


class _Renewable:
    """A credential that can be made anew, since those of azure-identity answer from a cache while they think it good."""

    def __init__(self, owner: Transport):
        self._owner = owner
        self._inner = self._make()

    def _make(self) -> Any:
        from azure.identity import aio

        way, cloud = self._owner.way, self._owner.cloud
        common = {"transport": self._owner.transport(), "retry_total": 3, "retry_backoff_factor": 0.3}
        if way.kind == "service_principal":
            try:
                return aio.ClientSecretCredential(
                    way.tenant, way.client_id, way.secret, authority=cloud.login, disable_instance_discovery=True, **common
                )
            except ValueError as error:
                raise InputError("tenant", "tenant (AZURE_TENANT) is '{0}': it must be a tenant's id or domain name.".format(
                    way.tenant)) from error
        if way.kind == "msi":
            return aio.ManagedIdentityCredential(client_id=way.client_id, **common)
        return aio.AzureCliCredential(tenant_id=way.tenant or "", process_timeout=60)

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        return await self._inner.get_token(*scopes, **options)

    async def get_token_info(self, *scopes: str, **options: Any) -> Any:
        return await self._inner.get_token_info(*scopes, **options)

    async def renew(self) -> None:
        old, self._inner = self._inner, self._make()
        await old.close()

    async def close(self) -> None:
        await self._inner.close()


def _unreachable(address: str, error: Union[Exception, str]) -> str:
    return ("{0} (AZURE_CLOUD_ENVIRONMENT) cannot be reached: {1}. Check the address, the network and the proxy "
            "settings.").format(address, str(error).rstrip("."))


def _untrusted(address: str, error: Exception) -> str:
    reason = getattr(getattr(error, "certificate_error", None), "verify_message", None) or str(error)
    return ("The certificate of {0} is not trusted ({1}): set ca_file (AZURE_CA_FILE) to a file with the certificate "
            "authority that signed it.").format(address, str(reason).rstrip("."))
