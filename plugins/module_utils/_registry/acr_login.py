# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log the users of this host in to Azure Container Registry, as the host's managed identity.

Lies on the host as a program of its own, which a systemd timer starts, since a login lasts three hours:

    acr_login.py REGISTRY IDENTITY CONFIG…

REGISTRY: its address, such as contoso.azurecr.io. IDENTITY: ``system``, or the client id of an identity that is assigned to the machine.
CONFIG: the config.json of each user. It does in its order what
https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md (POST /oauth2/exchange) and
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token describe.
Tokens go into the files and nowhere else.

Needs the standard library only, and nothing of the collection: it has to run where neither Ansible nor the collection is.
This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
import time
import typing as t
import urllib.error
import urllib.parse
import urllib.request

METADATA = "http://169.254.169.254"
# What the documentation of /oauth2/exchange takes as a user name together with a refresh token.
NOBODY = "00000000-0000-0000-0000-000000000000"
# The metadata service refuses in bursts (429) and for minutes after a boot (404, 5xx); the network may come up late.
PAUSES = (1, 2, 5, 10, 20)


class LoginError(Exception):
    """Why there is no login, in one sentence."""


def machine_token(identity: str) -> str:
    """An Entra ID access token of this machine for Azure Resource Manager."""
    query = {"api-version": "2018-02-01", "resource": "https://management.azure.com/"}
    if identity != "system":
        query["client_id"] = identity
    base = os.environ.get("DOCKHOST_METADATA", METADATA)
    request = urllib.request.Request(f"{base}/metadata/identity/oauth2/token?{urllib.parse.urlencode(query)}", headers={"Metadata": "true"})
    # Azure's own address on the host: never by a proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return str(_json(opener, request, "the host's metadata service (managed identity)")["access_token"])


def refresh_token(registry: str, token: str) -> str:
    """The registry's own token, which docker takes as a password."""
    form = {"grant_type": "access_token", "service": registry, "access_token": token}
    tenant = claims(token).get("tid")
    if tenant:
        form["tenant"] = tenant
    request = urllib.request.Request(f"https://{registry}/oauth2/exchange", data=urllib.parse.urlencode(form).encode())
    return str(_json(urllib.request.build_opener(), request, f"the registry {registry}")["refresh_token"])


def claims(token: str) -> dict[str, t.Any]:
    """What a JSON web token says, unchecked; empty where it is none."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
    except (ValueError, TypeError):
        return {}


def _json(opener: urllib.request.OpenerDirector, request: urllib.request.Request, who: str) -> dict[str, t.Any]:
    """Ask, and once more a little later where the answer says that this may help."""
    said, again = "", False
    for pause in (*PAUSES, None):
        try:
            with opener.open(request, timeout=20) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            said, again = f"HTTP {error.code}: {words_of(error.read())}", error.code in (404, 410, 429) or error.code >= 500
        except (OSError, ValueError) as error:
            said, again = str(error), True
        if pause is None or not again:
            raise LoginError(f"{who} gives no token: {said}")
        time.sleep(pause)
    raise AssertionError("not reached")


def words_of(body: bytes) -> str:
    """An error's text as the two services write it: {"error_description": …} and {"errors": [{"message": …}]}."""
    try:
        found = json.loads(body)
        return str(found.get("error_description") or found["errors"][0]["message"])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return body.decode(errors="replace")[:200].strip()


def read_config(path: str) -> dict[str, t.Any]:
    """A config.json of the Docker CLI; empty where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            content = file.read()
    except FileNotFoundError:
        return {}
    try:
        found = json.loads(content or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise LoginError(f"{path} is no JSON object, so nothing was written to it; correct or remove it")
    return found


def with_login(config: t.Mapping[str, t.Any], address: str, username: str, password: str) -> dict[str, t.Any]:
    """The configuration with this login. LoginError where the CLI would never look at it."""
    helper = (config.get("credHelpers") or {}).get(address) or config.get("credsStore")
    if helper:
        raise LoginError(f"the Docker CLI is told to ask the helper {helper} for logins; remove credsStore and credHelpers from its config.json")
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {**config, "auths": {**(config.get("auths") or {}), address: {"auth": auth}}}


def write_config(path: str, config: t.Mapping[str, t.Any], user: int, group: int) -> None:
    """Write in one step, for the user alone."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.makedirs(folder, mode=0o700)
        os.chown(folder, user, group)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".config-")  # 0600 from the first byte on
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.chown(temporary, user, group)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def main(arguments: t.Sequence[str]) -> None:
    """Log in; see above."""
    registry, identity, *paths = arguments
    token = refresh_token(registry, machine_token(identity))
    for path in paths:
        home = os.stat(os.path.dirname(os.path.dirname(path)))
        write_config(path, with_login(read_config(path), registry, NOBODY, token), home.st_uid, home.st_gid)
    sys.stdout.write(f"logged in to {registry}, for {', '.join(paths)}\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LoginError as problem:
        raise SystemExit(f"No login to {sys.argv[1]}: {problem}.") from problem
