# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-in: the lab's Microsoft Entra ID. Client credentials in, signed JWT access tokens out, and their check."""
from __future__ import annotations

import base64
import hmac
import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from azlab.errors import ArmError, arm_error
from azlab.settings import Settings

LIFETIME = 3599
_AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
_FOREIGN = ("https://graph.microsoft.com", "https://graph.windows.net", "https://vault.azure.net",
            "https://storage.azure.com")


class SignInError(Exception):
    """An error of the token endpoint, in its own shape."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(text)
        self.status, self.error, self.number, self.text = status, error, number, text

    def body(self) -> dict[str, Any]:
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        return {"error": self.error,
                "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace} Correlation ID: "
                                     f"{correlation} Timestamp: {stamp}",
                "error_codes": [self.number], "timestamp": stamp, "trace_id": trace, "correlation_id": correlation,
                "error_uri": f"https://login.microsoftonline.com/error?code={self.number}"}


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Tokens:
    """Issues and checks access tokens with the lab's RSA key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        key = serialization.load_pem_private_key((settings.home / "token-key.pem").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self._seen: dict[str, dict[str, Any]] = {}
        self.allowed = {f"{a}{slash}" for a in (*_AUDIENCES, settings.url, f"https://127.0.0.1:{settings.port}")
                        for slash in ("", "/")}

    def grant(self, tenant: str, form: dict[str, str], *, version: int) -> dict[str, Any]:
        """Answer a request for a token. `form` is what the client posted."""
        self.check_tenant(tenant)
        if form.get("grant_type") != "client_credentials":
            raise SignInError(400, "unsupported_grant_type", 70003,
                              f"The app requested an unsupported grant type '{form.get('grant_type', '')}'.")
        client = form.get("client_id", "")
        if client.lower() != self._settings.client_id:
            raise SignInError(400, "unauthorized_client", 700016,
                              f"Application with identifier '{client}' was not found in the directory '{tenant}'. This "
                              "can happen if the application has not been installed by the administrator of the tenant "
                              "or consented to by any user in the tenant. You may have sent your authentication request "
                              "to the wrong tenant.")
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self._settings.secret.encode()):
            raise SignInError(401, "invalid_client", 7000215,
                              "Invalid client secret provided. Ensure the secret being sent in the request is the client "
                              f"secret value, not the client secret ID, for a secret added to app '{client}'.")
        audience = self._audience(form, version, tenant)
        answer: dict[str, Any] = {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME,
                                  "access_token": self.issue(audience)}
        if version == 1:
            now = int(time.time())
            answer.update(expires_in=str(LIFETIME), ext_expires_in=str(LIFETIME), expires_on=str(now + LIFETIME),
                          not_before=str(now), resource=audience)
        return answer

    def check_tenant(self, tenant: str) -> None:
        if tenant.lower() not in (self._settings.tenant, "common", "organizations"):
            raise SignInError(400, "invalid_request" if len(tenant) == 36 else "invalid_tenant", 90002,
                              f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are "
                              "signing into the correct cloud. Check with your subscription administrator, this may "
                              "happen if there are no active subscriptions for the tenant.")

    def _audience(self, form: dict[str, str], version: int, tenant: str) -> str:
        wanted = form.get("resource", "") if version == 1 else form.get("scope", "")
        if version == 2:
            if not wanted.endswith("/.default"):
                raise SignInError(400, "invalid_scope", 1002012,
                                  f"The provided value for scope {wanted} is not valid. Client credential flows must "
                                  "have a scope value with /.default suffixed to the resource identifier (application "
                                  "ID URI).")
            wanted = wanted.removesuffix("/.default")
        if wanted not in self.allowed and wanted.rstrip("/") not in _FOREIGN:
            raise SignInError(400, "invalid_resource" if version == 1 else "invalid_scope", 500011,
                              f"The resource principal named {wanted} was not found in the tenant named {tenant}. This "
                              "can happen if the application has not been installed by the administrator of the tenant "
                              "or consented to by any user in the tenant. You might have sent your authentication "
                              "request to the wrong tenant.")
        return wanted

    def issue(self, audience: str, *, lifetime: int = LIFETIME, tenant: str | None = None) -> str:
        """A signed token. `lifetime` in seconds may be negative, for tests of expiry."""
        now, tenant = int(time.time()), tenant or self._settings.tenant
        header = {"typ": "JWT", "alg": "RS256", "kid": "azlab"}
        claims = {"aud": audience, "iss": f"https://sts.windows.net/{tenant}/", "iat": now, "nbf": now,
                  "exp": now + lifetime, "appid": self._settings.client_id, "appidacr": "1", "idtyp": "app",
                  "oid": self._settings.object_id, "sub": self._settings.object_id, "tid": tenant, "ver": "1.0",
                  "uti": _b64(uuid.uuid4().bytes)}
        signed = ".".join(_b64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return signed + "." + _b64(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))

    def check(self, authorization: str | None) -> dict[str, Any]:
        """The claims of a request's token, or Azure's 401."""
        if not authorization:
            raise self._refusal("missing_auth", "missing 'Authorization' header")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise self._refusal("bad_scheme", "invalid 'Authorization' header")
        claims = self._seen.get(token)
        if claims is None:
            claims = self._verify(token)
            if len(self._seen) > 1000:
                self._seen.clear()
            self._seen[token] = claims
        if claims["exp"] < time.time():
            raise self._refusal("expired_token", "expired", expiry=_clock(claims["exp"]), now=_clock(time.time()))
        if claims["aud"] not in self.allowed:
            raise self._refusal("wrong_audience", "wrong audience", audience=claims["aud"],
                                allowed=",".join(sorted(self.allowed)))
        if claims["tid"] != self._settings.tenant:
            raise self._refusal("wrong_tenant", "wrong issuer", issuer=claims["iss"],
                                tenant=f"https://sts.windows.net/{self._settings.tenant}/")
        return claims

    def public_key(self) -> dict[str, str]:
        """The key that checks the tokens, as a JSON web key."""
        numbers = self._key.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "azlab",
                "n": _b64(numbers.n.to_bytes(256, "big")), "e": _b64(numbers.e.to_bytes(3, "big"))}

    def _verify(self, token: str) -> dict[str, Any]:
        try:
            signed, signature = token.rsplit(".", 1)
            self._key.public_key().verify(_unb64(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
            claims = json.loads(_unb64(signed.split(".")[1]))
        except (ValueError, IndexError, InvalidSignature):
            raise self._refusal("bad_token", "invalid") from None
        return dict(claims)

    def _refusal(self, key: str, why: str, **fields: Any) -> ArmError:
        challenge = (f'Bearer authorization_uri="{self._settings.url}/{self._settings.tenant}", error="invalid_token", '
                     f'error_description="The authentication failed because of {why}."')
        return arm_error(key, headers={"WWW-Authenticate": challenge}, **fields)


def _clock(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.month}/{moment.day}/{moment.year} {moment.strftime('%I:%M:%S %p').lstrip('0')}"
