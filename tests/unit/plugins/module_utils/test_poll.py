# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the client that asks all the time counts, with a server that fails for a while."""

from __future__ import annotations

import http.server
import ssl
import threading

import pytest
from ansible_collections.dockhost.azure.plugins.module_utils._poll import TOLD, Count, poll
from ansible_collections.dockhost.azure.plugins.modules.http_poll import ask


@pytest.fixture
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        statuses: list[int] = []

        def do_GET(self):
            self.send_response(self.statuses.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def test_answers_are_told_from_failures(server):
    server.RequestHandlerClass.statuses = [200, 302, 404, 503]
    url = f"http://127.0.0.1:{server.server_port}/path?x=1"
    context = ssl.create_default_context()
    assert [ask(url, 2, context) for attempt in range(4)] == ["", "", "", "status 503"]


def test_nobody_there_is_a_failure(server):
    port = server.server_port
    server.shutdown()
    server.server_close()
    assert "refused" in ask(f"http://127.0.0.1:{port}/", 2, ssl.create_default_context())


def test_the_longest_time_without_an_answer():
    count = Count()
    for began, trouble in [(0, ""), (1, "x"), (2, "x"), (3, ""), (4, "x"), (5, "")]:
        count.add(began, began + 0.5, trouble, "10:00:00")
    assert count.result() | {"failures": None} == {"requests": 6, "unanswered": 3, "outage": 2, "failures": None}


def test_it_ends_when_the_file_is_gone(tmp_path):
    flag = tmp_path / "flag"
    flag.touch()
    answers = iter(["", "broken", ""])

    def asked():
        answer = next(answers)
        if answer:
            flag.unlink()
        return answer

    assert poll(asked, str(flag), 0, 60).result()["requests"] == 2


def test_it_ends_when_time_is_over(tmp_path):
    (tmp_path / "flag").touch()
    assert poll(lambda: "", str(tmp_path / "flag"), 0.01, 0.1).requests < 20


def test_many_failures_are_counted_and_some_are_told():
    count = Count()
    for second in range(100):
        count.add(second, second + 1, "x", "10:00:00")
    assert (count.unanswered, len(count.failures)) == (100, TOLD)
