# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API of the sample: takes texts as jobs, keeps them in PostgreSQL, queues them in Redis, and shows what the worker made of them."""

from __future__ import annotations

import os
import pathlib

import flask
import psycopg
import psycopg.rows
import redis
import waitress

app = flask.Flask(__name__)
QUEUE = "jobs"


def database() -> psycopg.Connection:
    """A connection for one request."""
    password = pathlib.Path(os.environ["DATABASE_PASSWORD_FILE"]).read_text().strip()
    return psycopg.connect(
        host=os.environ["DATABASE_HOST"], dbname=os.environ["DATABASE_NAME"], user=os.environ["DATABASE_USER"], password=password,
        connect_timeout=3, row_factory=psycopg.rows.dict_row,
    )  # fmt: skip


def queue() -> redis.Redis:
    """The queue."""
    password = pathlib.Path(os.environ["QUEUE_PASSWORD_FILE"]).read_text().strip()
    return redis.Redis(host=os.environ["QUEUE_HOST"], password=password, socket_timeout=3)


@app.get("/healthz")
def healthz() -> flask.typing.ResponseReturnValue:
    """200 when both stores answer."""
    with database() as connection:
        connection.execute("select 1 from jobs limit 1")
    queue().ping()
    return {"status": "ok"}


@app.post("/jobs")
def submit() -> flask.typing.ResponseReturnValue:
    """Take a job: {"text": …}. The row is committed before the worker can hear of it."""
    body = flask.request.get_json(silent=True)
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str) or not text:
        return {"error": 'give the job as {"text": "…"}'}, 400
    with database() as connection:
        row = connection.execute("insert into jobs (text) values (%s) returning id", (text,)).fetchone()
    queue().lpush(QUEUE, row["id"])
    return {"id": row["id"], "state": "queued"}, 202


@app.get("/jobs/<int:number>")
def show(number: int) -> flask.typing.ResponseReturnValue:
    """One job and, once the worker is done with it, its result."""
    with database() as connection:
        row = connection.execute("select id, text, state, result, worker from jobs where id = %s", (number,)).fetchone()
    return row or ({"error": f"there is no job {number}"}, 404)


@app.get("/jobs")
def listing() -> flask.typing.ResponseReturnValue:
    """The last jobs, the newest first."""
    with database() as connection:
        rows = connection.execute("select id, text, state, result, worker from jobs order by id desc limit 50").fetchall()
    return {"jobs": rows}


@app.get("/")
def page() -> str:
    """The same for people."""
    jobs = listing()["jobs"]
    return flask.render_template_string(
        "<!doctype html><title>Jobs</title><h1>Jobs</h1><ul>{% for job in jobs %}<li>{{ job.id }}: {{ job.text }} &rarr; "
        "{{ job.result or job.state }}</li>{% else %}<li>none yet</li>{% endfor %}</ul>", jobs=jobs,
    )  # fmt: skip


if __name__ == "__main__":
    waitress.serve(app, listen="*:8000", threads=8)
