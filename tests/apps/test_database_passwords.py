# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The databases of roles wordpress and webapp take the passwords of their secrets at each start, whatever is in the data."""

from __future__ import annotations

import pathlib

import pytest

pytestmark = pytest.mark.machines

ROLES = pathlib.Path(__file__).resolve().parents[2] / "roles"
OLD = {"root": "it's \\ root\n", "user": "o'ther"}
NEW = {"root": "another's \\' root", "user": "\\new\" 'one"}


@pytest.fixture
def secrets(tmp_path):
    """A folder of secrets, and what writes others into it."""

    def write(values):
        for name, value in values.items():
            (tmp_path / name).write_text(value)
            (tmp_path / name).chmod(0o644)
        return {str(tmp_path): {"bind": "/run/secrets", "mode": "ro"}}

    tmp_path.chmod(0o755)
    return write


def mounted(role, data, volume):
    return {str(ROLES / role / "files" / "database-start.sh"): {"bind": "/database-start.sh", "mode": "ro"}, volume: {"bind": data, "mode": "rw"}}


def test_mariadb(containers, image, secrets):
    environment = {
        "MARIADB_ROOT_PASSWORD_FILE": "/run/secrets/root", "MARIADB_DATABASE": "wordpress", "MARIADB_USER": "wordpress",
        "MARIADB_PASSWORD_FILE": "/run/secrets/user",
    }  # fmt: skip
    volumes = mounted("wordpress", "/var/lib/mysql", containers.volume())

    def start(values):
        command = ["sh", "/database-start.sh", "--character-set-server=utf8mb4"]
        made = containers.run(image("mariadb"), *command, environment=environment, volumes={**secrets(values), **volumes})
        assert containers.until(lambda: made.exec_run(["healthcheck.sh", "--connect", "--innodb_initialized"]).exit_code == 0), made.logs().decode()
        return made

    def sql(container, statement, user, password, host=()):
        done = container.exec_run(["mariadb", *host, f"-u{user}", "-N", "-e", statement, "wordpress"], environment={"MYSQL_PWD": password.strip("\n")})
        return done.output.decode().strip() if done.exit_code == 0 else "refused"

    first = start(OLD)
    assert sql(first, "create table t (a int); insert into t values (7); select a from t", "wordpress", OLD["user"], ["-h127.0.0.1"]) == "7"
    first.kill()  # as a host that loses its power
    second = start(NEW)
    for user, word, host in (("wordpress", "user", ["-h127.0.0.1"]), ("root", "root", []), ("root", "root", ["-h127.0.0.1"])):
        assert (sql(second, "select a from t", user, OLD[word], host), sql(second, "select a from t", user, NEW[word], host)) == ("refused", "7"), (user, host)
    assert not any(word.strip() in second.logs().decode() for word in (*OLD.values(), *NEW.values()))
    assert NEW["user"] not in str(second.top())


def test_postgresql(containers, image, secrets):
    environment = {"POSTGRES_USER": "owner-1", "POSTGRES_DB": "shop", "POSTGRES_PASSWORD_FILE": "/run/secrets/user"}
    volumes = mounted("webapp", "/var/lib/postgresql/data", containers.volume())

    def start(values):
        made = containers.run(image("postgres"), "sh", "/database-start.sh", environment=environment, volumes={**secrets(values), **volumes})
        ready = ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "owner-1", "-d", "shop"]
        assert containers.until(lambda: made.exec_run(ready).exit_code == 0), made.logs().decode()
        return made

    def sql(container, statement, password):
        done = container.exec_run(["psql", "-qh", "127.0.0.1", "-U", "owner-1", "-d", "shop", "-Atc", statement], environment={"PGPASSWORD": password})
        return done.output.decode().strip() if done.exit_code == 0 else "refused"

    first = start(OLD)
    assert sql(first, "create table t (a int); insert into t values (7); select a from t", OLD["user"]) == "7"
    first.kill()  # as a host that loses its power: the log is replayed before the password is set
    second = start(NEW)
    assert (sql(second, "select a from t", OLD["user"]), sql(second, "select a from t", NEW["user"])) == ("refused", "7"), second.logs().decode()
    assert not any(word.strip() in second.logs().decode() for word in (*OLD.values(), *NEW.values()))
    assert "could not be set" not in second.logs().decode()
    second.stop(timeout=30)
    assert second.wait()["StatusCode"] == 0
    # An account that is not there is no reason for the server not to run, and its statement is in no log.
    environment["POSTGRES_USER"] = "nobody"
    third = start(OLD)
    assert "database-start: the password of nobody could not be set; what is in the data stays" in third.logs().decode()
    assert "o'ther" not in third.logs().decode() and "o''ther" not in third.logs().decode()
