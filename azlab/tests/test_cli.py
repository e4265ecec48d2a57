# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `azlab`, as a user runs it."""
from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def azlab(tmp_path: Path) -> Iterator[Run]:
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("AZ")}, "AZLAB_HOME": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "azlab.cli", *arguments], env=env, capture_output=True, text=True,
                              timeout=60)
    yield run
    run("down", "--name", "cli")


def test_life_of_a_lab(azlab: Run, tmp_path: Path) -> None:
    assert azlab("status", "--name", "cli").returncode == 3
    up = azlab("up", "--name", "cli", "--port", "0")
    assert up.returncode == 0 and "azlab 'cli' is up: https://localhost:" in up.stdout, up.stderr
    assert "already running" in azlab("up", "--name", "cli").stdout
    status = json.loads(azlab("status", "--name", "cli", "--json").stdout)
    assert status["machines"] == "none" and status["resources"] == {}
    exports = azlab("env", "--name", "cli").stdout.splitlines()
    assert {line.split("=")[0] for line in exports} == {f"export {n}" for n in (
        "AZLAB_NAME", "AZURE_CLOUD_ENVIRONMENT", "AZURE_CA_FILE", "REQUESTS_CA_BUNDLE", "AZURE_SUBSCRIPTION_ID",
        "AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_TENANT", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST",
        "AZURE_CORE_INSTANCE_DISCOVERY", "DOCKHOST_SSH_SOURCES")}
    assert "export DOCKHOST_SSH_SOURCES=203.0.113.1/32" in exports
    proxied = json.loads(azlab("env", "--name", "cli", "--proxy", "--json").stdout)
    assert proxied["AZURE_CLOUD_ENVIRONMENT"] == "AzureCloud" and proxied["SSL_CERT_FILE"] == proxied["REQUESTS_CA_BUNDLE"]
    assert proxied["HTTPS_PROXY"] in azlab("status", "--name", "cli").stdout and proxied["NO_PROXY"] == "localhost,127.0.0.1"
    assert f"export HTTPS_PROXY={proxied['HTTPS_PROXY']}" in azlab("env", "--name", "cli", "--proxy").stdout.splitlines()
    assert "ready after" in azlab("logs", "--name", "cli").stdout
    secret = json.loads(azlab("env", "--name", "cli", "--json").stdout)["AZURE_SECRET"]
    assert azlab("down", "--name", "cli", "--keep").returncode == 0
    assert azlab("status", "--name", "cli").returncode == 3
    assert azlab("up", "--name", "cli").returncode == 0
    assert json.loads(azlab("env", "--name", "cli", "--json").stdout)["AZURE_SECRET"] == secret
    assert "is gone" in azlab("down", "--name", "cli").stdout
    assert list(tmp_path.iterdir()) == []
    assert azlab("down", "--name", "cli").returncode == 0


def test_a_killed_lab_comes_back(azlab: Run, tmp_path: Path) -> None:
    azlab("up", "--name", "cli")
    before = json.loads((tmp_path / "cli" / "lab.json").read_text())
    os.kill(before["pid"], signal.SIGKILL)
    while Path(f"/proc/{before['pid']}/cmdline").exists() and Path(f"/proc/{before['pid']}/cmdline").read_bytes():
        time.sleep(0.02)
    assert "ended without being asked to" in azlab("doctor", "--name", "cli").stdout
    assert azlab("up", "--name", "cli").returncode == 0
    after = json.loads((tmp_path / "cli" / "lab.json").read_text())
    assert after["port"] == before["port"] and after["pid"] != before["pid"]


@pytest.mark.parametrize(("arguments", "words"), [
    (("up", "--name", "Bad_Name"), "lab name 'Bad_Name' cannot be used"),
    (("up", "--name", "cli", "--port", "99999"), "--port is 99999, but must be 0 to 65535"),
    (("up", "--name", "cli", "--proxy-port", "70000"), "--proxy-port is 70000, but must be 0 to 65535"),
    (("up", "--name", "cli", "--latency-scale", "-1"), "--latency-scale is -1.0, but must be 0 or more"),
    (("up", "--name", "cli", "--public-range", "203.0.113.0/30"), "is too small"),
    (("up", "--name", "cli", "--public-range", "nonsense"), "is no IPv4 range"),
    (("env", "--name", "cli"), "there is no lab 'cli': make it with 'azlab up --name cli'"),
    (("logs", "--name", "cli"), "there is no lab 'cli'"),
])
def test_bad_input_gives_one_sentence(azlab: Run, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = azlab(*arguments)
    assert done.returncode == 1 and words in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "cli").exists()


def _make_a_group(lab: dict[str, Any], ca: Path) -> None:
    """In a lab that runs."""
    url, context = f"https://localhost:{lab['port']}", ssl.create_default_context(cafile=str(ca))
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": lab["client_id"], "client_secret": lab["secret"],
                                   "scope": f"{url}/.default"}).encode()
    with urllib.request.urlopen(f"{url}/{lab['tenant']}/oauth2/v2.0/token", form, context=context, timeout=30) as answer:
        token = json.load(answer)["access_token"]
    request = urllib.request.Request(
        f"{url}/subscriptions/{lab['subscription_id']}/resourceGroups/g?api-version=2024-03-01", b'{"location": "westeurope"}', method="PUT",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        assert answer.status == 201


def test_what_a_lab_gave_out_stays_where_it_is(azlab: Run, tmp_path: Path) -> None:
    assert azlab("up", "--name", "cli", "--port", "0").returncode == 0
    assert azlab("down", "--name", "cli", "--keep").returncode == 0
    assert azlab("up", "--name", "cli", "--public-range", "198.51.100.0/24").returncode == 0, "nothing was given out yet"
    _make_a_group(json.loads((tmp_path / "cli" / "lab.json").read_text()), tmp_path / "cli" / "ca.pem")
    assert azlab("down", "--name", "cli", "--keep").returncode == 0
    for option, was, other in (("--public-range", "198.51.100.0/24", "203.0.113.0/24"), ("--machines", "none", "docker")):
        done = azlab("up", "--name", "cli", option, other)
        assert done.returncode == 1 and f"lab 'cli' was made with {option} {was}, which stays" in done.stderr
        assert f"{option} {other} is not possible" in done.stderr and "azlab down --name cli" in done.stderr
    assert azlab("up", "--name", "cli", "--public-range", "198.51.100.0/24").returncode == 0


def test_a_port_that_is_taken(azlab: Run) -> None:
    azlab("up", "--name", "cli")
    port = json.loads(azlab("status", "--name", "cli", "--json").stdout)["url"].rsplit(":", 1)[1]
    done = azlab("up", "--name", "other", "--port", port)
    assert done.returncode == 1 and f"port {port} for the API cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
    azlab("down", "--name", "other")


def test_two_servers_never_share_a_state(azlab: Run, tmp_path: Path) -> None:
    azlab("up", "--name", "cli")
    env = {**os.environ, "AZLAB_HOME": str(tmp_path)}
    second = subprocess.run([sys.executable, "-m", "azlab.server", "cli"], env=env, capture_output=True, text=True,
                            timeout=30)
    assert second.returncode == 1 and "is starting or running already" in second.stderr
    assert "Traceback" not in second.stderr
    assert azlab("status", "--name", "cli").returncode == 0


def test_reset_and_conditions(azlab: Run, tmp_path: Path) -> None:
    refused = azlab("reset", "--name", "cli")
    assert refused.returncode != 0 and "there is no lab 'cli'" in refused.stderr
    file = tmp_path / "conditions.json"
    assert "is no file" in azlab("up", "--name", "cli", "--port", "0", "--conditions", str(file)).stderr
    file.write_text('{"page_size": 3, "throttling": {"on": true}}')
    assert azlab("up", "--name", "cli", "--port", "0", "--conditions", str(file)).returncode == 0
    status = json.loads(azlab("status", "--name", "cli", "--json").stdout)
    assert (status["page_size"], status["throttling"]) == (3, True)
    assert azlab("reset", "--name", "cli").stdout == "azlab 'cli': 0 resources removed\n"


def test_conformance_without_a_folder(azlab: Run, tmp_path: Path) -> None:
    result = azlab("conformance", str(tmp_path / "nothing"))
    assert result.returncode == 2 and "There is no folder" in result.stderr


def test_status_for_programs(azlab: Run, tmp_path: Path) -> None:
    """One object of JSON and the exit status, whether the lab runs, is stopped or never was."""
    def ask() -> tuple[int, dict[str, object]]:
        done = azlab("status", "--name", "cli", "--json")
        return done.returncode, json.loads(done.stdout)

    assert ask() == (3, {"name": "cli", "running": False, "home": None})
    azlab("up", "--name", "cli", "--quiet")
    status, said = ask()
    assert (status, said["running"], said["home"]) == (0, True, str(tmp_path / "cli"))
    with urllib.request.urlopen(str(said["page"])) as page:
        assert b"<title>azlab</title>" in page.read()
    assert json.loads(azlab("status", "--all", "--json").stdout)[0]["url"] == said["url"]
    azlab("down", "--name", "cli", "--keep")
    assert ask() == (3, {"name": "cli", "running": False, "home": str(tmp_path / "cli"), "machines": "none"})
    assert azlab("status", "--all").stdout.split() == ["cli", "stopped"]
    assert "its state is kept" in azlab("status", "--name", "cli").stdout


def test_options_that_a_running_lab_cannot_take(azlab: Run) -> None:
    azlab("up", "--name", "cli", "--set", "page_size=3")
    for options, named in ((("--latency-scale", "1"), "--latency-scale"), (("--port", "9"), "--port"),
                           (("--machines", "docker", "--set", "page_size=4"), "--machines, --set")):
        done = azlab("up", "--name", "cli", *options)
        assert done.returncode == 1 and f"already running, and without {named} as given" in done.stderr, done
    for options in ((), ("--port", "0", "--machines", "none"), ("--set", "page_size=3"), ("--latency-scale", "0")):
        assert azlab("up", "--name", "cli", *options).returncode == 0


@pytest.mark.parametrize("shell", ["bash", "sh", "fish"])
def test_exports_are_read_by_the_shells(azlab: Run, tmp_path: Path, shell: str) -> None:
    """What the shell has afterwards is what the JSON says; --unset takes it back."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    azlab("up", "--name", "cli")
    wanted = json.loads(azlab("env", "--name", "cli", "--shell", "json").stdout)
    kind = "fish" if shell == "fish" else "bash"
    script = azlab("env", "--name", "cli", "--shell", kind).stdout
    undo = azlab("env", "--name", "cli", "--shell", kind, "--unset").stdout
    show = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'\n"
    done = subprocess.run([shell, "-c", script + show + undo + show], env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
                          capture_output=True, text=True, check=True)
    before, after = map(json.loads, done.stdout.splitlines())
    assert {k: v for k, v in before.items() if k in wanted} == wanted and not set(after) & set(wanted)


def test_words_that_shells_would_take_apart() -> None:
    from azlab.commands import _fish_quote
    assert _fish_quote("it's $HOME \\n") == "'it\\'s $HOME \\\\n'"
    if shutil.which("fish"):
        for word in ("it's", "a\\", "$HOME *", "\\'"):
            assert subprocess.run(["fish", "-c", f"echo -n {_fish_quote(word)}"], capture_output=True, text=True).stdout == word


def test_what_breaks_gives_one_sentence(azlab: Run, tmp_path: Path) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "lab.json").write_text("{")
    for command in ("up", "status", "env", "down", "doctor"):
        done = azlab(command, "--name", "cli")
        assert done.returncode == 1 and "is damaged" in done.stderr and len(done.stderr.splitlines()) == 1
    (tmp_path / "cli" / "lab.json").unlink()
    (tmp_path / "cli").rmdir()
    (tmp_path / "cli").write_text("")
    done = azlab("up", "--name", "cli")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "File exists" in done.stderr
    (tmp_path / "cli").unlink()


def test_who_reads_only_the_first_line(azlab: Run, tmp_path: Path) -> None:
    """`azlab logs | head -1`: no traceback."""
    azlab("up", "--name", "cli")
    with (tmp_path / "cli" / "azlab.log").open("a") as log:
        log.write("x" * 99 + "\n" * 1)
        log.writelines(f"{number} {'x' * 99}\n" for number in range(5000))
    env = {**os.environ, "AZLAB_HOME": str(tmp_path)}
    done = subprocess.run(["bash", "-c", f"{sys.executable} -m azlab logs --name cli -n 4000 | head -1"], env=env,
                          capture_output=True, text=True)
    assert done.stdout.startswith("1000 ") and done.stderr == ""


@pytest.mark.parametrize("command", ["", "up", "down", "status", "logs", "env", "doctor", "reset", "conditions", "faults", "conformance"])
def test_every_command_has_help(azlab: Run, command: str) -> None:
    done = azlab(*command.split(), "--help")
    assert done.returncode == 0 and "usage: azlab" in done.stdout and max(map(len, done.stdout.splitlines())) <= 130
    assert command in ("conditions", "faults", "conformance") or "xample" in done.stdout or "Exit status" in done.stdout
