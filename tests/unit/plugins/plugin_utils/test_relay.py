# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules swarm_node and swarm_cluster as tasks of a real ansible-playbook, against a server on a Unix socket that speaks like the engine."""

from __future__ import annotations

import http.server
import json
import os
import pathlib
import socket
import socketserver
import subprocess
import sys
import threading

import ansible_collections.dockhost.azure
import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._engine import client, relay
from ansible_collections.dockhost.azure.plugins.module_utils._engine.errors import EngineError
from ansible_collections.dockhost.azure.plugins.module_utils._swarm import local
from ansible_collections.dockhost.azure.plugins.plugin_utils._relay import RelayEngine, RelayUnusable, answers_of, opened

TOKENS = {"Worker": "SWMTKN-worker", "Manager": "SWMTKN-manager"}
MEMBERS = [{"name": name, "role": "manager", "swarm": {"state": "inactive", "address": f"10.0.0.{number}", "hostname": name, "engine": "26.1.5"}}
           for number, name in ((4, "one"), (5, "other"), (6, "third"))]  # fmt: skip
COLLECTIONS = str(pathlib.Path(ansible_collections.dockhost.azure.__path__[0]).parents[2])


class Handler(http.server.BaseHTTPRequestHandler):
    """An engine that is in no swarm until it has made one or joined one."""

    def answer(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        engine, path = self.server, self.path.split("?")[0]
        path = path if path == "/_ping" else "/" + path.split("/", 2)[2]
        engine.seen.append((self.command, path, body))
        if path == engine.gives_up and (path != "/nodes" or engine.manager):
            self.close_connection = True
            return
        status, content = self.given(engine, path, body)
        self.send_response(status)
        self.send_header("Api-Version", "1.45")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def given(self, engine, path, body):
        if path in ("/swarm/init", "/swarm/join"):
            engine.state = "active"
            engine.manager = path == "/swarm/init" or body["JoinToken"] == TOKENS["Manager"]
        elif path == "/swarm/leave":
            engine.state, engine.manager = "inactive", False
        elif path == "/info":
            node = {"LocalNodeState": engine.state, "ControlAvailable": engine.manager, "NodeID": "n1" if engine.state == "active" else ""}
            return 200, {"Name": "one", "ServerVersion": "26.1.5", "Swarm": {**node, "NodeAddr": "10.0.0.4" if engine.state == "active" else ""}}
        elif path in ("/swarm", "/nodes", "/swarm/unlockkey") and not engine.manager:
            return 503, {"message": "This node is not a swarm manager."}
        elif path == "/swarm":
            spec = {"Labels": {}, "EncryptionConfig": {"AutoLockManagers": engine.autolock}}
            return 200, {"ID": "c1", "Version": {"Index": 1}, "Spec": spec, "JoinTokens": TOKENS}
        elif path == "/swarm/unlockkey":
            return 200, {"UnlockKey": "SWMKEY-right"}
        elif path.startswith("/nodes/"):
            return engine.answers.pop(0)
        elif path == "/nodes":
            status = {"ManagerStatus": {"Reachability": "reachable", "Leader": True, "Addr": "10.0.0.4:2377"}, "Status": {"State": "ready"}}
            return 200, [{"ID": "n1", "Description": {"Hostname": "one"}, "Spec": {"Role": "manager", "Labels": {}}, **status}]
        return 200, {}

    do_GET = do_POST = answer

    def address_string(self):
        return "unix"

    def log_message(self, *arguments):
        pass


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    state, manager, autolock, gives_up = "inactive", False, False, ""


@pytest.fixture
def engine(tmp_path):
    with Engine(str(tmp_path / "docker.sock"), Handler) as running:
        running.seen, running.folder = [], tmp_path
        thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def play(engine, *tasks, pipelining=True, strategy="linear", **variables):
    """Run the tasks on this machine, as verbose as it gets; what was printed, and the registered results by their names."""
    engine.seen.clear()
    show = {"content": "{{ {'one': one | default({}), 'two': two | default({})} | to_json }}", "dest": str(engine.folder / "shown")}
    shown = [{"copy": show, "vars": {"ansible_python_interpreter": sys.executable}}]
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_pipelining": pipelining, **variables}
    book = engine.folder / "book.json"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "strategy": strategy, "vars": variables, "tasks": [*tasks, *shown]}]))
    place = os.path.dirname(sys.executable)
    env = {"PATH": f"{place}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(engine.folder), "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "LC_ALL": "C.UTF-8"}
    env["ANSIBLE_LOCAL_TEMP"] = str(engine.folder / "tmp")
    command = [os.path.join(place, "ansible-playbook"), "-vvvv", str(book)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr, json.loads((engine.folder / "shown").read_text())


def node(engine, **options):
    return {"dockhost.azure.swarm_node": {"docker_socket": str(engine.server_address), **options}, "register": "two"}


def cluster(engine, **options):
    return {"dockhost.azure.swarm_cluster": {"docker_socket": str(engine.server_address), **options}, "register": "one"}


@pytest.fixture
def heard(engine):
    """An interpreter that keeps what goes back over the connection, as a verbose connection prints it."""
    script = engine.folder / "python"
    script.write_text(f'#!/bin/sh\n{sys.executable} "$@" | tee -a {engine.folder}/heard\n')
    script.chmod(0o755)
    return engine.folder / "heard"


def used_module(said):
    return "modules/swarm_" in said


@pytest.mark.parametrize("pipelining", [True, False])
def test_observed_as_the_module_does(engine, pipelining):
    engine.state, engine.manager = "active", True
    said, results = play(engine, node(engine, member={"name": "demo-1", "role": "manager"}), pipelining=pipelining)
    assert used_module(said) is not pipelining
    found = results["two"]
    assert (found["changed"], found["member"]["name"], found["member"]["role"]) == (False, "demo-1", "manager")
    assert found["swarm"]["leads"] and found["swarm"]["cluster_id"] == "c1" and found["swarm"]["address"] == "10.0.0.4"
    assert "SWMTKN" not in said


def test_formed_without_a_module_and_without_a_token_in_sight(engine, heard):
    said, results = play(engine, cluster(engine, host="one", members=MEMBERS), ansible_python_interpreter=str(heard.parent / "python"))
    assert "SWMTKN" not in heard.read_text()
    assert not used_module(said)
    assert results["one"]["joins"] == ["other", "third"] and results["one"]["cluster_id"] == "c1" and results["one"]["managers"] == ["10.0.0.4"]
    assert [body["AdvertiseAddr"] for dummy, path, body in engine.seen if path == "/swarm/init"] == ["10.0.0.4"]
    assert "SWMTKN" not in said and "SWMTKN" not in json.dumps(results)


def test_no_second_swarm_where_the_host_has_made_one_since_it_was_asked(engine):
    engine.state, engine.manager = "active", True
    said, results = play(engine, cluster(engine, host="one", members=MEMBERS[:1]))
    assert not used_module(said) and results["one"]["plan"] == [] and results["one"]["cluster_id"] == "c1"
    assert all(method == "GET" for method, dummy, dummy2 in engine.seen)


@pytest.fixture
def manager_address():
    """An address of this machine that listens on the ports which a host tries before it joins."""
    address = f"127.{os.getpid() >> 16 & 127}.{os.getpid() >> 8 & 255}.{os.getpid() % 253 + 2}"
    with socketserver.TCPServer((address, 2377), socketserver.BaseRequestHandler), socketserver.TCPServer((address, 7946), socketserver.BaseRequestHandler):
        yield address


@pytest.mark.parametrize("pipelining", [True, False])
def test_joins_as_a_worker_with_a_token_that_is_kept_where_nobody_reads_it(engine, manager_address, pipelining):
    join = node(engine, state="joined", cluster_id="c1", managers=[manager_address], advertise_address="10.0.0.5")
    # One engine plays both hosts here, and the module looks whether it is in a swarm already.
    leave = [] if pipelining else [node(engine, state="absent", force=True)]
    keep = {"command": f"cp -r {engine.folder}/tmp {engine.folder}/kept"}
    said, results = play(engine, cluster(engine, host="one", members=MEMBERS), keep, *leave, join, pipelining=pipelining)
    assert [body["JoinToken"] for dummy, path, body in engine.seen if path == "/swarm/join"] == [TOKENS["Worker"]]
    assert results["two"]["changed"] and used_module(said) is not pipelining and "SWMTKN" not in said + json.dumps(results)
    (left,) = (engine.folder / "kept").glob("*/dockhost-swarm-c1")  # what a killed run would leave
    assert left.stat().st_mode & 0o777 == 0o600 and b"SWMTKN" not in left.read_bytes()
    assert not list((engine.folder / "tmp").rglob("dockhost-swarm-*"))  # and what one leaves that ends


def test_the_unlock_key_is_compared_and_crosses_no_connection_as_it_is(engine, heard):
    engine.state, engine.manager, engine.autolock = "active", True, True
    for kept, known in (("SWMKEY-right", True), ("SWMKEY-wrong", False)):
        task = cluster(engine, host="one", members=MEMBERS[:1], unlock_keys=["{{ the_key }}"])
        said, results = play(engine, task, the_key=kept, ansible_python_interpreter=str(heard.parent / "python"))
        assert not used_module(said) and results["one"]["unlock_key_kept"] is known
        assert "SWMKEY" not in said.replace(kept, "") + json.dumps(results) + heard.read_text() and "sealed" in heard.read_text()


def test_goes_with_the_environment_and_an_interpreter_of_several_words(engine):
    task = {**node(engine), "environment": {"PATH": "{{ place }}:/usr/bin:/bin"}}
    (engine.folder / "bin").mkdir()
    (engine.folder / "bin" / "snake").symlink_to(sys.executable)
    said, results = play(engine, task, place=str(engine.folder / "bin"), ansible_python_interpreter="/usr/bin/env snake")
    assert not used_module(said) and results["two"]["swarm"]["state"] == "inactive"


def test_an_interpreter_that_is_not_there_is_told_by_ansible(engine):
    said, results = play(engine, {**node(engine), "ignore_errors": True}, ansible_python_interpreter="/nowhere/python9")
    assert used_module(said) and results["two"]["failed"] and "/nowhere/python9" in json.dumps(results["two"])


@pytest.mark.parametrize("strategy", ["free", "ansible.builtin.host_pinned"])
def test_a_strategy_that_does_not_wait_is_refused(engine, strategy):
    task = {**node(engine, member={"name": "demo-1"}), "ignore_errors": True}
    dummy, results = play(engine, task, strategy=strategy)
    assert f"The play has strategy {strategy}, with which no host waits" in results["two"]["msg"] and engine.seen == []


@pytest.mark.parametrize("gives_up, module", [("/info", True), ("/nodes", False)])
def test_an_engine_that_ends_in_the_middle(engine, gives_up, module):
    """Nothing was changed: the module tells. Something was: it is told what."""
    engine.gives_up = gives_up
    made = {**cluster(engine, host="one", members=MEMBERS[:1]), "ignore_errors": True}
    said, results = play(engine, made)
    assert used_module(said) is module and results["one"]["failed"]
    if not module:
        assert "could not be asked any more: OSError: the engine closed the connection before" in results["one"]["msg"]
        assert [step["action"] for step in results["one"]["plan"]] == ["init"]


def test_check_mode_changes_nothing_and_tells_of_joins(engine, manager_address):
    join = node(engine, state="joined", managers=[manager_address], advertise_address="10.0.0.5")
    told = [{**task, "check_mode": True, "diff": True} for task in (cluster(engine, host="one", members=MEMBERS), join)]
    said, results = play(engine, *told)
    assert results["one"]["changed"] and results["one"]["joins"] == ["other", "third"] and results["two"]["changed"]
    assert "first manager of a new swarm" in results["one"]["diff"]["after"] and results["two"]["diff"]["after"] == "swarm: active\n"
    assert all(method == "GET" for method, dummy, dummy2 in engine.seen) and "SWMTKN" not in said


def test_an_engine_that_is_not_there_is_told_by_the_module(engine):
    gone = {**node(engine, docker_socket=str(engine.folder / "none.sock")), "ignore_errors": True}
    dummy, results = play(engine, gone)
    assert results["two"]["failed"] and "There is no Docker Engine: the socket" in results["two"]["msg"]


@pytest.mark.parametrize("secret", [{"JoinTokens": TOKENS}, {"UnlockKey": "SWMKEY-1"}])
def test_secrets_cross_the_connection_sealed_and_only_when_asked_for(secret):
    said = json.dumps({"ID": "c1", **secret})
    assert json.loads(relay.shown(said, "")) == {"ID": "c1"}
    key = "5a" * 32
    sealed = relay.shown(said, key)
    assert "SWM" not in sealed and b"SWM" not in bytes.fromhex(json.loads(sealed)["sealed"])
    assert json.loads(opened([200, sealed], key)[1]) == {"ID": "c1", **secret}
    assert opened([200, "{}"], key) == [200, "{}"]


@pytest.mark.parametrize(
    "printed, words",
    [
        ("", "it ended with 127"),
        (f"{relay.MARK}{json.dumps({'trouble': 'OSError: gone', 'answers': []})}", "OSError: gone"),
        (f'{relay.MARK}{{"answers": [[200, "{{', "its answer was cut off"),
    ],
)
def test_what_is_no_answer(printed, words):
    with pytest.raises(RelayUnusable, match=words):
        answers_of(printed, "it ended with 127")


def test_speaks_what_the_client_speaks():
    assert (relay.OLDEST, relay.NEWEST) == (client.OLDEST_API, client.NEWEST_API)


class OnThisMachine(RelayEngine):
    """The engine by the relay's own code, without a connection."""

    def __init__(self, socket_path, capsys):
        client.Engine.__init__(self, socket_path, 5)  # pylint: disable=non-parent-init-called
        self.capsys = capsys

    def _operate(self, operations, key):
        relay.serve(json.loads(json.dumps({"socket": self.socket_path, "timeout": 5, "key": key, "operations": list(operations)})), bool)
        return answers_of(self.capsys.readouterr().out, "")


@pytest.fixture(params=["client", "relay"])
def speaker(request, engine, capsys):
    """The engine on the host itself and from the controller: both are to do the same."""
    path = str(engine.server_address)
    return client.Engine(path, 5) if request.param == "client" else OnThisMachine(path, capsys)


REACHABLE = {"ManagerStatus": {"Reachability": "reachable"}}
PROMOTION = [("POST", "/nodes/n2/update?version=3", {"Role": "manager"}),
             (client.UNTIL, "/nodes/n2", {"field": ["ManagerStatus", "Reachability"], "value": "reachable", "timeout": 0.3, "pause": 0.01})]  # fmt: skip


@pytest.mark.parametrize(
    "told, last",
    [
        ([(200, {}), (200, {"ManagerStatus": None}), (503, {"message": "no leader"}), (200, REACHABLE)], REACHABLE),
        ([(200, {}), (404, {"message": "node n2 not found"})], "node n2 not found"),
        ([(500, {"message": "update out of sequence"})], "update out of sequence"),
        ([(200, {})] + [(200, {"ManagerStatus": {"Reachability": "unknown"}})] * 99, {"ManagerStatus": {"Reachability": "unknown"}}),
        ([(200, {})] + [(503, {"message": "no leader"})] * 99, "no leader"),
    ],
)
def test_waits_until_a_change_shows_and_not_after_a_refusal(engine, speaker, told, last):
    engine.answers = list(told)
    answer = speaker.batch(PROMOTION)[1]
    assert (answer.message if isinstance(answer, EngineError) else answer) == last
    if len(told) < 9:
        assert engine.answers == []


def test_requests_nothing_where_a_port_does_not_answer(engine, speaker):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as closed:
        place, gone = server.getsockname(), closed.getsockname()
        closed.close()
        join = [("POST", "/swarm/join", {"JoinToken": TOKENS["Worker"]}), *local.QUESTIONS]
        assert speaker.batch_where_reached([place, gone, place], 1, join) is None
        assert "/swarm/join" not in [path for dummy, path, dummy2 in engine.seen]
        said = speaker.batch_where_reached([place, place], 1, join)
        assert said[1]["Swarm"]["LocalNodeState"] == "active" and isinstance(said[2], EngineError)


def test_a_host_without_a_name_or_an_address_is_the_one_of_the_task(engine):
    members = [{**MEMBERS[0], "name": "localhost"}]
    said, results = play(engine, cluster(engine, members=members))
    assert not used_module(said) and results["one"]["changed"]
    assert [body["AdvertiseAddr"] for dummy, path, body in engine.seen if path == "/swarm/init"] == ["10.0.0.4"]
