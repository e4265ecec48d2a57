# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The application images keep the contracts of the official ones, as far as the stack relies on them."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.machines


def healthy(container):
    return lambda: container.exec_run(["healthcheck.sh", "--connect", "--innodb_initialized"]).exit_code == 0


def sql(container, statement, password="it's \\ root"):
    result = container.exec_run(["mariadb", "-uroot", "-N", "-e", statement], environment={"MYSQL_PWD": password})
    return result.exit_code, result.output.decode().strip()


@pytest.fixture
def secrets(tmp_path):
    (tmp_path / "root").write_text("it's \\ root\n")
    (tmp_path / "user").write_text("o'ther")
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    tmp_path.chmod(0o755)
    return {str(tmp_path): {"bind": "/run/secrets", "mode": "ro"}}


ENVIRONMENT = {
    "MARIADB_ROOT_PASSWORD_FILE": "/run/secrets/root",
    "MARIADB_DATABASE": "blog_db",
    "MARIADB_USER": "writer",
    "MARIADB_PASSWORD_FILE": "/run/secrets/user",
}


class TestMariaDB:
    def test_data_and_passwords_outlive_the_container(self, containers, image, secrets):
        volumes = {**secrets, containers.volume(): {"bind": "/var/lib/mysql", "mode": "rw"}}
        first = containers.run(image("mariadb"), environment=ENVIRONMENT, volumes=volumes)
        assert containers.until(healthy(first)), first.logs().decode()
        assert sql(first, "create table blog_db.t (a int); insert into blog_db.t values (7)")[0] == 0
        assert sql(first, "select 1", password="wrong")[0] != 0
        assert sql(first, "select host from mysql.global_priv where user = 'root' order by 1") == (0, "%\nlocalhost")
        first.stop(timeout=30)
        assert first.wait()["StatusCode"] == 0
        second = containers.run(image("mariadb"), environment=ENVIRONMENT, volumes=volumes)
        assert containers.until(healthy(second)), second.logs().decode()
        assert sql(second, "select a from blog_db.t") == (0, "7")
        dump = second.exec_run(["mariadb-dump", "-uroot", "--databases", "blog_db"], environment={"MYSQL_PWD": "it's \\ root"})
        assert dump.exit_code == 0 and b"INSERT INTO `t` VALUES" in dump.output, dump.output.decode()
        mine = second.exec_run(["mariadb", "-h127.0.0.1", "-uwriter", "-N", "-e", "show tables in blog_db"], environment={"MYSQL_PWD": "o'ther"})
        assert (mine.exit_code, mine.output.decode().strip()) == (0, "t")

    def test_a_first_start_that_was_cut_off_begins_again(self, containers, image, secrets):
        volumes = {**secrets, containers.volume(): {"bind": "/var/lib/mysql", "mode": "rw"}}
        code, output = containers.end(
            image("mariadb"), "-c", "mkdir -p /var/lib/mysql/mysql && touch /var/lib/mysql/.initialisation-begun", entrypoint="sh", volumes=volumes
        )
        assert code == 0, output
        again = containers.run(image("mariadb"), environment=ENVIRONMENT, volumes=volumes)
        assert containers.until(healthy(again)), again.logs().decode()

    def test_it_says_what_is_missing(self, containers, image):
        code, output = containers.end(image("mariadb"))
        assert code == 1
        assert "set one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_FILE" in output


class TestRedis:
    def test_options_and_files_are_taken_and_others_may_connect(self, containers, image):
        cache = containers.run(image("redis"), "--requirepass", "secret", name="cache")
        ask = ["redis-cli", "-h", "cache", "ping"]
        assert containers.until(lambda: b"PONG" in cache.exec_run(["redis-cli", "ping"], environment={"REDISCLI_AUTH": "secret"}).output)
        assert "NOAUTH" in containers.end(image("redis"), *ask)[1]
        assert "PONG" in containers.end(image("redis"), *ask, environment={"REDISCLI_AUTH": "secret"})[1]
        assert cache.exec_run(["sh", "-c", "stat -c %U /proc/1 && stat -c %U /data"]).output.split() == [b"redis", b"redis"]


class TestHAProxy:
    def test_it_does_not_run_as_root(self, containers, image):
        assert containers.end(image("haproxy"), "id", "-un") == (0, "haproxy\n")


class TestWordPress:
    def test_apache_serves_a_copy_that_is_configured_by_the_environment(self, containers, image):
        web = containers.run(
            image("wordpress"),
            environment={"WORDPRESS_DB_HOST": "nowhere.invalid", "WORDPRESS_CONFIG_EXTRA": "header('X-Extra: taken');", "WORDPRESS_AUTH_KEY": "k"},
        )
        get = "$h = @get_headers('http://127.0.0.1/%s'); echo $h ? implode(\"\\n\", $h) : '';"

        def ask(path):
            return web.exec_run(["php", "-r", get % path]).output.decode()

        assert containers.until(lambda: "200 OK" in ask("wp-includes/images/blank.gif")), web.logs().decode()
        # No database: WordPress says so with a 500, and the settings of the environment were read.
        front = ask("")
        assert "500" in front and "X-Extra: taken" in front
        config = web.exec_run(["cat", "/var/www/html/wp-config.php"]).output.decode()
        assert config.count("put your unique phrase here") == 0
        assert web.exec_run(["test", "-f", "/var/www/html/wp-content/themes/twentytwentyfive/style.css"]).exit_code == 0

    def test_other_commands_just_run(self, containers, image):
        code, output = containers.end(image("wordpress"), "sh", "-c", "ls /var/www/html; php -r 'echo extension_loaded(\"mysqli\") ? \"mysqli\" : \"none\";'")
        assert (code, output) == (0, "mysqli")


class TestPostgreSQL:
    SETTINGS = {"POSTGRES_USER": "owner", "POSTGRES_DB": "shop", "POSTGRES_PASSWORD_FILE": "/run/secrets/user"}

    @staticmethod
    def ready(container):
        return lambda: container.exec_run(["pg_isready", "-q", "-h", "127.0.0.1", "-U", "owner", "-d", "shop"]).exit_code == 0

    @staticmethod
    def sql(container, statement, password="o'ther"):
        words = ["psql", "-h", "127.0.0.1", "-U", "owner", "-d", "shop", "-Atc", statement]
        result = container.exec_run(words, environment={"PGPASSWORD": password})
        return result.exit_code, result.output.decode().strip()

    def test_data_and_passwords_outlive_the_container(self, containers, image, secrets):
        volumes = {**secrets, containers.volume(): {"bind": "/var/lib/postgresql/data", "mode": "rw"}}
        first = containers.run(image("postgres"), environment=self.SETTINGS, volumes=volumes)
        assert containers.until(self.ready(first)), first.logs().decode()
        assert self.sql(first, "create table t (a int); insert into t values (7)")[0] == 0
        assert self.sql(first, "select 1", password="wrong")[0] != 0
        first.stop(timeout=30)
        second = containers.run(image("postgres"), environment=self.SETTINGS, volumes=volumes)
        assert containers.until(self.ready(second)), second.logs().decode()
        assert self.sql(second, "select a from t") == (0, "7")

    def test_it_says_what_is_missing(self, containers, image):
        code, output = containers.end(image("postgres"))
        assert code == 1
        assert "set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE" in output
