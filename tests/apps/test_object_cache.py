# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The object cache drop-in of role wordpress: PHP of the image against a real Redis."""

from __future__ import annotations

import json
import pathlib
import time

import pytest

pytestmark = pytest.mark.machines

DROP_IN = pathlib.Path(__file__).resolve().parents[2] / "roles" / "wordpress" / "files" / "object-cache.php"

# What WordPress provides to a drop-in.
PREAMBLE = """<?php
error_reporting(E_ALL);
set_error_handler(function ($n, $text, $file, $line) { if (error_reporting() & $n) { throw new ErrorException("$text ($file:$line)"); } });
function is_multisite() { return false; }
function wp_suspend_cache_addition() { return false; }
require '/object-cache.php';
wp_cache_init();
$c = $GLOBALS['wp_object_cache'];
"""


class Site:
    """One Redis, and PHP processes that use it."""

    def __init__(self, containers, image, tmp_path):
        self.containers, self.image, self.path = containers, image, tmp_path
        self.redis = containers.run(image("redis"), "--requirepass", "p w'd", name="cache")
        assert containers.until(lambda: b"PONG" in self.cli("ping")), self.redis.logs().decode()

    def cli(self, *words):
        return self.redis.exec_run(["redis-cli", *words], environment={"REDISCLI_AUTH": "p w'd"}).output

    def php(self, body, host="cache", password="p w'd"):
        script = self.path / "test.php"
        script.write_text(PREAMBLE + body)
        environment = {"WORDPRESS_REDIS_HOST": host, "WORDPRESS_REDIS_PASSWORD": password, "WORDPRESS_REDIS_PREFIX": "t"}
        volumes = {str(DROP_IN): {"bind": "/object-cache.php", "mode": "ro"}, str(script): {"bind": "/test.php", "mode": "ro"}}
        code, output = self.containers.end(self.image("wordpress"), "php", "/test.php", environment=environment, volumes=volumes)
        assert code == 0, output
        return json.loads(output.splitlines()[-1])


@pytest.fixture
def site(containers, image, tmp_path):
    tmp_path.chmod(0o755)
    return Site(containers, image, tmp_path)


def test_values_of_all_types_come_back_in_another_process(site):
    site.php("""
        $o = new stdClass; $o->a = 1;
        $values = ['n' => 7, 's' => "z\\r\\n\\0ä", 'f' => false, 'z' => null, 'a' => ['x' => [1.5]], 'o' => $o, 'e' => ''];
        foreach ($values + ['big' => str_repeat('x', 300000)] as $k => $v) {
            wp_cache_set($k, $v, 'g');
        }
        echo json_encode(true);""")
    assert site.php("""
        $r = [];
        foreach (['n', 's', 'f', 'z', 'a', 'o', 'e', 'big', 'missing'] as $k) {
            $v = wp_cache_get($k, 'g', false, $found);
            $r[$k] = [$k === 'big' ? strlen($v) : ($k === 's' ? bin2hex($v) : $v), $found];
        }
        echo json_encode($r);""") == {
        "n": [7, True], "s": [b"z\r\n\0\xc3\xa4".hex(), True], "f": [False, True], "z": [None, True], "a": [{"x": [1.5]}, True],
        "o": [{"a": 1}, True], "e": ["", True], "big": [300000, True], "missing": [False, False],
    }


def test_add_replace_delete_and_numbers_follow_wordpress(site):
    assert site.php("""
        $r = [wp_cache_add('k', 1), wp_cache_add('k', 2), wp_cache_get('k'), wp_cache_replace('k', 3), wp_cache_replace('none', 3),
              wp_cache_incr('k', 4), wp_cache_decr('k', 100), wp_cache_incr('none'), wp_cache_delete('k'), wp_cache_delete('k'), wp_cache_get('k'),
              wp_cache_set('', 1)];
        echo json_encode($r);""") == [True, False, 1, True, False, 7, 0, False, True, False, False, False]


def test_add_is_refused_for_what_another_process_has_added(site):
    site.php("echo json_encode(wp_cache_add('k', 'first'));")
    assert site.php("echo json_encode([wp_cache_add('k', 'second'), wp_cache_get('k')]);") == [False, "first"]


def test_many_at_once(site):
    assert site.php("""
        wp_cache_set_multiple(['a' => 1, 'b' => 2], 'g'); wp_cache_flush_runtime();
        $r = [wp_cache_get_multiple(['a', 'b', 'x'], 'g'), wp_cache_add_multiple(['a' => 9, 'y' => 9], 'g'),
              wp_cache_delete_multiple(['a', 'x'], 'g'), wp_cache_get_multiple([], 'g')];
        echo json_encode($r);""") == [{"a": 1, "b": 2, "x": False}, {"a": False, "y": True}, {"a": True, "x": False}, []]


def test_groups_that_are_not_persistent_stay_in_the_process(site):
    site.php("""
        wp_cache_add_non_persistent_groups(['local']);
        wp_cache_set('k', 1, 'local'); wp_cache_set('k', 2, 'far');
        echo json_encode(wp_cache_get('k', 'local'));""")
    assert site.cli("keys", "*").split() == [b"t:far:k"]


def test_an_object_is_kept_as_it_was_when_it_was_stored(site):
    assert site.php("""
        $o = (object) ['v' => 1];
        wp_cache_set('o', $o); $o->v = 2;
        $p = wp_cache_get('o'); $p->v = 3;
        echo json_encode(wp_cache_get('o'));""") == {"v": 1}


def test_everything_expires(site):
    site.php("wp_cache_set('short', 1, 'g', 20); wp_cache_set('long', 1, 'g', 999999); wp_cache_set('ever', 1, 'g'); echo json_encode(1);")
    ttl = {key: int(site.cli("ttl", f"t:g:{key}")) for key in ("short", "long", "ever")}
    assert 0 < ttl["short"] <= 20 and 3000 < ttl["long"] <= 3600 and 3000 < ttl["ever"] <= 3600


def test_flush_empties_redis(site):
    assert site.php("wp_cache_set('k', 1); $f = wp_cache_flush(); echo json_encode([$f, wp_cache_get('k')]);") == [True, False]
    assert site.cli("dbsize").strip() == b"0"


USE = """
$t = microtime(true);
$s = wp_cache_set('k', 5);
echo json_encode([$s, wp_cache_get('k'), wp_cache_add('k', 6), $c->connected(), microtime(true) - $t < 3]);"""
WITHOUT = [True, 5, False, False, True]


def test_it_goes_on_without_redis(site):
    site.redis.stop(timeout=1)
    assert site.php(USE) == WITHOUT


def test_it_goes_on_with_a_wrong_password_and_says_so_once(site):
    assert site.php(USE, password="wrong") == WITHOUT


def test_it_goes_on_where_no_redis_is_configured(site):
    assert site.php(USE, host="") == WITHOUT


def test_a_redis_that_is_silent_costs_a_second_or_two(site):
    site.redis.pause()
    began = time.monotonic()
    assert site.php(USE)[:4] == WITHOUT[:4]
    assert time.monotonic() - began < 10
    site.redis.unpause()


def test_a_connection_that_redis_has_closed_is_opened_again(site):
    assert site.php("""
        wp_cache_set('k', 1);
        $send = function ($stream, ...$words) {
            foreach ($words as $w) { $out = ($out ?? '') . '$' . strlen($w) . "\\r\\n$w\\r\\n"; }
            fwrite($stream, '*' . count($words) . "\\r\\n" . $out);
        };
        $admin = stream_socket_client('tcp://cache:6379');
        $send($admin, 'AUTH', "p w'd");
        $send($admin, 'CLIENT', 'KILL', 'SKIPME', 'yes');
        $reply = fgets($admin) . fgets($admin);
        wp_cache_flush_runtime();
        echo json_encode([trim($reply), wp_cache_get('k'), $c->connected()]);""") == ["+OK\r\n:1", 1, True]


def test_the_rest_of_another_requests_reply_is_not_taken_for_ours(site):
    assert site.php("""
        wp_cache_set('mine', 'right');
        // The same persistent stream, left with an unread reply, as a request leaves it that was cut off.
        $left = stream_socket_client('tcp://cache:6379', $n, $s, 1, STREAM_CLIENT_CONNECT | STREAM_CLIENT_PERSISTENT);
        fwrite($left, "*2\\r\\n\\$4\\r\\nECHO\\r\\n\\$5\\r\\nwrong\\r\\n");
        usleep(100000);
        wp_cache_init();
        echo json_encode([wp_cache_get('mine'), $GLOBALS['wp_object_cache']->connected()]);""") == ["right", True]
