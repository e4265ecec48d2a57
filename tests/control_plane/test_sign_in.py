# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-in as Azure users have it; what is wrong gives one clear sentence."""

from __future__ import annotations

import http.server
import json
import socket
import stat
import sys
import threading

import pytest

SIGN_IN = (
    "AZURE_SUBSCRIPTION_ID", "AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_CLIENT_SECRET", "AZURE_TENANT", "AZURE_TENANT_ID",
    "AZURE_CLOUD_ENVIRONMENT", "AZURE_CA_FILE", "REQUESTS_CA_BUNDLE", "AZURE_PROFILE", "ANSIBLE_AZURE_AUTH_SOURCE",
    "IDENTITY_ENDPOINT", "MSI_ENDPOINT",
)


@pytest.fixture
def clean(azure, monkeypatch, tmp_path):
    """No sign-in in the environment, an empty home; the variables of the lab to choose from, each under one name."""
    azure.admin.clear_faults()
    for name in SIGN_IN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    aliases = ("AZURE_CLIENT_SECRET", "AZURE_TENANT_ID")
    return {name: value for name, value in azure.lab.env.items() if name in SIGN_IN and name not in aliases}


@pytest.fixture
def identity_endpoint():
    """Start an endpoint that gives a token, or refuses; its address."""
    servers = []

    def start(token):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = {"access_token": token, "expires_on": "4102444800", "resource": "x", "token_type": "Bearer"}
                if token is None:
                    body = {"statusCode": 400, "message": "No managed identity found for specified client id."}
                data = json.dumps(body).encode()
                self.send_response(400 if token is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *words):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return "http://127.0.0.1:{0}/token".format(server.server_port)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def info(azure):
    """Run a module that only reads, with nothing but the given environment and options."""
    def run(env, **arguments):
        return azure.run_as("resource_group_info", dict(arguments, name="nowhere"), env=env)

    return run


def without(env, *names):
    return {name: value for name, value in env.items() if name not in names}


def profile(tmp_path, text):
    (tmp_path / ".azure").mkdir(exist_ok=True)
    (tmp_path / ".azure" / "credentials").write_text(text)


def test_environment(info, clean):
    assert info(clean)["exists"] is False
    assert info(clean, auth_source="env")["exists"] is False


def test_the_names_that_the_sdks_use(info, clean):
    env = without(clean, "AZURE_SECRET", "AZURE_TENANT")
    env.update(AZURE_CLIENT_SECRET=clean["AZURE_SECRET"], AZURE_TENANT_ID=clean["AZURE_TENANT"])
    assert info(env)["exists"] is False


def test_options(info, clean):
    arguments = {
        "subscription_id": clean["AZURE_SUBSCRIPTION_ID"], "client_id": clean["AZURE_CLIENT_ID"],
        "secret": clean["AZURE_SECRET"], "tenant": clean["AZURE_TENANT"],
        "cloud_environment": clean["AZURE_CLOUD_ENVIRONMENT"], "ca_file": clean["AZURE_CA_FILE"],
    }
    result = info({}, **arguments)
    assert result["exists"] is False
    assert clean["AZURE_SECRET"] not in json.dumps(result)


def test_profile(info, clean, tmp_path):
    profile(tmp_path, "[default]\nsubscription_id=x\n[lab]\nsubscription_id={0}\nclient_id={1}\nsecret={2}\ntenant={3}\n".format(
        clean["AZURE_SUBSCRIPTION_ID"], clean["AZURE_CLIENT_ID"], clean["AZURE_SECRET"], clean["AZURE_TENANT"]))
    env = {name: clean[name] for name in ("AZURE_CLOUD_ENVIRONMENT", "AZURE_CA_FILE")}
    assert info(env, auth_source="credential_file", profile="lab")["exists"] is False
    assert info(dict(env, AZURE_PROFILE="lab"))["exists"] is False
    path = str(tmp_path / ".azure" / "credentials")
    assert info(env, auth_source="credential_file", profile="other")["msg"] == (
        "{0} has no profile 'other' (option profile, AZURE_PROFILE); it has: default, lab.".format(path)
    )
    assert info(env)["msg"] == "Profile 'default' in {0} lacks client_id, secret and tenant.".format(path)
    profile(tmp_path, "no section\n")
    assert info(env)["msg"].startswith("{0} cannot be read: ".format(path))


def test_no_profile_file(info, clean, tmp_path):
    assert info(clean, auth_source="credential_file")["msg"] == (
        "There is no file {0} with profiles to sign in with (auth_source, AZURE_PROFILE).".format(
            tmp_path / ".azure" / "credentials")
    )


def az(tmp_path, script):
    """A program az that behaves as the Azure CLI does."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    path = tmp_path / "bin" / "az"
    path.write_text("#!{0}\n{1}".format(sys.executable, script))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_azure_cli(info, azure, clean, tmp_path):
    env = {name: clean[name] for name in ("AZURE_CLOUD_ENVIRONMENT", "AZURE_CA_FILE")}
    assert info(env, auth_source="cli")["msg"] == (
        "auth_source is cli, but there is no program az on this machine: install the Azure CLI, or choose another auth_source."
    )
    az(tmp_path, "import sys\nsys.exit(\"ERROR: Please run 'az login' to setup account.\")\n")
    assert info(env, auth_source="cli")["msg"] == (
        "The Azure CLI is not signed in (ERROR: Please run 'az login' to setup account): run 'az login', or choose another "
        "auth_source."
    )
    az(tmp_path, (
        "import json, sys\n"
        "if 'show' in sys.argv: print(json.dumps({{'id': {0!r}}}))\n"
        "else: print(json.dumps({{'accessToken': {1!r}, 'expires_on': 4102444800, 'expiresOn': '2100-01-01 00:00:00.000000'}}))\n"
    ).format(clean["AZURE_SUBSCRIPTION_ID"], azure.lab.token()))
    env["PATH"] = "{0}:/usr/bin:/bin".format(tmp_path / "bin")
    assert info(env)["exists"] is False
    assert info(env, auth_source="cli")["exists"] is False


def test_azure_cli_whose_token_cannot_be_had(info, clean, tmp_path):
    az(tmp_path, "import sys\nsys.exit(\"ERROR: Please run 'az login' to setup account.\")\n")
    env = without(clean, "AZURE_SECRET", "AZURE_CLIENT_ID")
    env["PATH"] = "{0}:/usr/bin:/bin".format(tmp_path / "bin")
    assert info(env, auth_source="cli")["msg"].startswith("The Azure CLI is not signed in (")


def test_managed_identity(info, clean):
    env = without(clean, "AZURE_SUBSCRIPTION_ID")
    assert info(env, auth_source="msi")["msg"] == (
        "Sign-in with a managed identity lacks subscription_id: set AZURE_SUBSCRIPTION_ID."
    )


def test_a_managed_identity_that_the_platform_announces(azure, info, clean, identity_endpoint):
    """The way of Azure's App Service and Container Instances: an endpoint in the environment gives the token."""
    env = without(clean, "AZURE_SECRET", "AZURE_CLIENT_ID", "AZURE_TENANT")
    env.update(IDENTITY_ENDPOINT=identity_endpoint(azure.lab.token()), IDENTITY_HEADER="here")
    assert info(env)["exists"] is False
    env["IDENTITY_ENDPOINT"] = identity_endpoint(None)
    message = info(env, auth_source="msi")["msg"]
    assert message.startswith("There is no managed identity here that Azure knows (")
    assert message.endswith("give this machine one, or choose another auth_source.")


@pytest.mark.parametrize("missing, message", [
    (("AZURE_TENANT",), "Sign-in with a service principal lacks tenant: set AZURE_TENANT or AZURE_TENANT_ID."),
    (("AZURE_SECRET", "AZURE_SUBSCRIPTION_ID"),
     "Sign-in with a service principal lacks subscription_id and secret: set AZURE_SUBSCRIPTION_ID and AZURE_SECRET or "
     "AZURE_CLIENT_SECRET."),
])
def test_missing_variables(info, clean, missing, message):
    assert info(without(clean, *missing))["msg"] == message


def test_nothing_at_all(info, clean):
    assert info({})["msg"] == (
        "Nothing to sign in to Azure with: set AZURE_SUBSCRIPTION_ID, AZURE_CLIENT_ID, AZURE_SECRET, AZURE_TENANT in the "
        "environment, write a profile to ~/.azure/credentials, or log in with 'az login' (auth_source chooses one of them)."
    )


def test_wrong_secret(info, clean):
    result = info(dict(clean, AZURE_SECRET="not-the-secret"))
    assert result["code"] == "AADSTS7000215"
    assert result["msg"].startswith("Azure refused the sign-in of client {0} in tenant {1} (from options and environment): "
                                    "AADSTS7000215: Invalid client secret provided.".format(
                                        clean["AZURE_CLIENT_ID"], clean["AZURE_TENANT"]))
    assert result["msg"].endswith("Check the secret (AZURE_SECRET): it is the secret's value, not its id.")
    assert "not-the-secret" not in json.dumps(result)


@pytest.mark.parametrize("name, value, code", [
    ("AZURE_CLIENT_ID", "11111111-1111-1111-1111-111111111111", "AADSTS700016"),
    ("AZURE_TENANT", "11111111-1111-1111-1111-111111111111", "AADSTS90002"),
])
def test_wrong_ids(info, clean, name, value, code):
    result = info(dict(clean, **{name: value}))
    assert result["code"] == code and value in result["msg"]


def test_a_tenant_that_is_none(info, clean):
    assert info(dict(clean, AZURE_TENANT="not a tenant"))["msg"] == (
        "tenant (AZURE_TENANT) is 'not a tenant': it must be a tenant's id or domain name."
    )


def test_unknown_cloud(info, clean):
    assert info(dict(clean, AZURE_CLOUD_ENVIRONMENT="AzureGermanCloud"))["msg"] == (
        "cloud_environment (AZURE_CLOUD_ENVIRONMENT) is 'AzureGermanCloud', which is neither one of AzureCloud, AzureChinaCloud, "
        "AzureUSGovernment nor the https:// address of an ARM endpoint."
    )
    assert info(dict(clean, AZURE_CLOUD_ENVIRONMENT="http://localhost:1"))["msg"] == (
        "cloud_environment (AZURE_CLOUD_ENVIRONMENT) is 'http://localhost:1': the address of an ARM endpoint starts with https:// "
        "and names a host, since access tokens are sent to it."
    )


def test_unreachable_endpoint(info, clean):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = "https://localhost:{0}".format(probe.getsockname()[1])
    message = info(dict(clean, AZURE_CLOUD_ENVIRONMENT=address))["msg"]
    assert message.startswith("{0} (AZURE_CLOUD_ENVIRONMENT) cannot be reached: ".format(address))
    assert message.endswith("Check the address, the network and the proxy settings.")


def test_untrusted_certificate(info, clean):
    message = info(without(clean, "AZURE_CA_FILE", "REQUESTS_CA_BUNDLE"))["msg"]
    assert message.startswith("The certificate of {0} is not trusted (".format(clean["AZURE_CLOUD_ENVIRONMENT"]))
    assert message.endswith("set ca_file (AZURE_CA_FILE) to a file with the certificate authority that signed it.")


def test_ca_file_that_is_none(info, clean, tmp_path):
    assert info(dict(clean, AZURE_CA_FILE="/nowhere.pem"))["msg"] == (
        "ca_file (AZURE_CA_FILE, REQUESTS_CA_BUNDLE) is /nowhere.pem, which does not exist."
    )
    (tmp_path / "empty.pem").write_text("nothing\n")
    assert info(dict(clean, AZURE_CA_FILE=str(tmp_path / "empty.pem")))["msg"].startswith(
        "ca_file (AZURE_CA_FILE, REQUESTS_CA_BUNDLE) is {0}, which holds no certificates in PEM form: ".format(tmp_path / "empty.pem")
    )


def test_an_endpoint_that_is_no_azure(info, azure, clean):
    azure.admin.fault(path="/metadata/endpoints", status=404, times=1)
    assert info(clean)["msg"] == (
        "cloud_environment (AZURE_CLOUD_ENVIRONMENT) is {0}, whose /metadata/endpoints does not describe an Azure Resource Manager: "
        "check the address.".format(clean["AZURE_CLOUD_ENVIRONMENT"])
    )


def test_unknown_subscription(info, clean):
    other = "22222222-2222-2222-2222-222222222222"
    result = info(dict(clean, AZURE_SUBSCRIPTION_ID=other))
    assert result["code"] == "SubscriptionNotFound" and result["msg"] == (
        "There is no subscription '{0}' that client {1} can see (subscription_id, AZURE_SUBSCRIPTION_ID): check the id, and that "
        "the client has a role in it.".format(other, clean["AZURE_CLIENT_ID"])
    )


def test_missing_libraries_name_the_requirements(info, clean, monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    message = info(clean)["msg"]
    assert message.startswith("Failed to import the required Python library (aiohttp) on ")
    assert message.endswith("Install the collection's requirements.txt for that Python.")
