# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP side of sign-in and discovery: what clients ask before they have a token."""
from __future__ import annotations

from typing import Any

from aiohttp import web

from azlab.lab import Lab
from azlab.tokens import SignInError


def _base(request: web.Request) -> str:
    return f"https://{request.host}"


class Identity:
    """Metadata endpoints, OpenID discovery and the token endpoints."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/metadata/endpoints", self.metadata),
            web.get("/images/aliases.json", self.aliases),
            web.get("/common/discovery/instance", self.instance),
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self.openid),
            web.get("/{tenant}/.well-known/openid-configuration", self.openid),
            web.get("/common/discovery/v2.0/keys", self.keys),
            web.post("/{tenant}/oauth2/v2.0/token", self.token_v2),
            web.post("/{tenant}/oauth2/token", self.token_v1),
        ]

    async def metadata(self, request: web.Request) -> web.Response:
        """The cloud's endpoints: one object for new api-versions, a list of one for old ones."""
        base, tenant = _base(request), self.lab.settings.tenant
        new = {
            "portal": base, "authentication": {
                "loginEndpoint": base, "audiences": ["https://management.core.windows.net/",
                                                     "https://management.azure.com/", base],
                "tenant": "common", "identityProvider": "AAD"},
            "media": base, "graphAudience": "https://graph.windows.net/", "graph": "https://graph.windows.net/",
            "name": f"azlab-{self.lab.settings.name}", "suffixes": {
                "storage": "core.windows.net", "keyVaultDns": "vault.azure.net", "sqlServerHostname":
                "database.windows.net", "acrLoginServer": "azurecr.io", "azureDataLakeStoreFileSystem":
                "azuredatalakestore.net", "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net"},
            "batch": base, "resourceManager": base, "vmImageAliasDoc": f"{base}/images/aliases.json",
            "activeDirectoryDataLake": base, "sqlManagement": base, "microsoftGraphResourceId":
            "https://graph.microsoft.com/", "gallery": base, "tenantId": tenant}
        version = request.query.get("api-version", "")
        if not version:
            return web.json_response({"error": {"code": "MissingApiVersionParameter", "message":
                                                "The api-version query parameter (?api-version=) is required for all "
                                                "requests."}}, status=400)
        return web.json_response([new] if version < "2022" and version != "2015-01-01" else new)

    async def aliases(self, request: web.Request) -> web.Response:
        """The short names of images, in the form of the document that the public cloud's metadata leads to."""
        found = {i["alias"]: {**{k: i[k] for k in ("publisher", "offer", "sku")}, "version": "latest", "architecture": "x64"}
                 for i in self.lab.catalogue.images["images"] if "alias" in i}
        return web.json_response({
            "$schema": "http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json",
            "contentVersion": "1.0.0.0", "parameters": {}, "variables": {}, "resources": [],
            "outputs": {"aliases": {"type": "object", "value": {"Linux": found}}}})

    async def instance(self, request: web.Request) -> web.Response:
        host = request.host
        return web.json_response({
            "tenant_discovery_endpoint": f"{_base(request)}/{self.lab.settings.tenant}/v2.0/.well-known/"
                                         "openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]})

    async def openid(self, request: web.Request) -> web.Response:
        tenant = request.match_info["tenant"]
        try:
            self.lab.tokens.check_tenant(tenant)
        except SignInError as problem:
            return web.json_response(problem.body(), status=problem.status)
        base = f"{_base(request)}/{tenant}"
        body: dict[str, Any] = {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "jwks_uri": f"{_base(request)}/common/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"], "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"], "scopes_supported": ["openid", "profile", "offline_access"],
            "issuer": f"https://sts.windows.net/{self.lab.settings.tenant}/",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid"], "tenant_region_scope": None,
            "cloud_instance_name": request.host}
        return web.json_response(body)

    async def keys(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": [self.lab.tokens.public_key()]})

    async def token_v2(self, request: web.Request) -> web.Response:
        return await self._token(request, 2)

    async def token_v1(self, request: web.Request) -> web.Response:
        return await self._token(request, 1)

    async def _token(self, request: web.Request, version: int) -> web.Response:
        form = {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
        try:
            answer = self.lab.tokens.grant(request.match_info["tenant"], form, version=version)
        except SignInError as problem:
            return web.json_response(problem.body(), status=problem.status)
        return web.json_response(answer, headers={"Cache-Control": "no-store"})
