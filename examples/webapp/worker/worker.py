# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker of the sample: takes jobs from the queue and writes their results to the database.

A job is moved to a list of its own while it is worked on, so that one that a dead worker had begun is begun again.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import signal
import socket
import sys
import time

import psycopg
import redis

QUEUE, WORKING = "jobs", "jobs:working"
STALE_SECONDS = 60


def secret(name: str) -> str:
    """The content of the file that a variable names."""
    return pathlib.Path(os.environ[name]).read_text().strip()


def database() -> psycopg.Connection:
    """A connection that commits each statement."""
    return psycopg.connect(
        host=os.environ["DATABASE_HOST"], dbname=os.environ["DATABASE_NAME"], user=os.environ["DATABASE_USER"],
        password=secret("DATABASE_PASSWORD_FILE"), autocommit=True, connect_timeout=3,
    )  # fmt: skip


def work(text: str) -> str:
    """What the job is: count the words and take the digest."""
    return f"{len(text.split())} words, sha256 {hashlib.sha256(text.encode()).hexdigest()}"


def put_back(queue: redis.Redis, connection: psycopg.Connection) -> None:
    """Jobs that nobody has finished within a minute go to the queue again."""
    for number in queue.lrange(WORKING, 0, -1):
        row = connection.execute(
            "select 1 from jobs where id = %s and state = 'working' and now() - begun > make_interval(secs => %s)", (int(number), STALE_SECONDS)
        ).fetchone()
        if row and queue.lrem(WORKING, 1, number):
            queue.rpush(QUEUE, number)


def main() -> None:
    """Work until the container is told to stop; a store that is away ends the process, and swarm starts it again."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    queue = redis.Redis(host=os.environ["QUEUE_HOST"], password=secret("QUEUE_PASSWORD_FILE"), socket_timeout=10)
    connection, name, looked = database(), socket.gethostname(), 0.0
    print("ready", flush=True)
    while True:
        if time.monotonic() - looked > STALE_SECONDS:
            put_back(queue, connection)
            looked = time.monotonic()
        number = queue.blmove(QUEUE, WORKING, 5)
        if number is None:
            continue
        row = connection.execute("update jobs set state = 'working', begun = now(), worker = %s where id = %s returning text", (name, int(number))).fetchone()
        if row:
            connection.execute("update jobs set state = 'done', result = %s where id = %s", (work(row[0]), int(number)))
        queue.lrem(WORKING, 1, number)


if __name__ == "__main__":
    main()
