# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What no tool catches in the modules' documentation: short names in EXAMPLES, a missing version_added."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest
import yaml

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"
FILES = sorted((PLUGINS / "modules").glob("*.py")) + sorted((PLUGINS / "inventory").glob("*.py"))
KEYWORDS = {
    "name", "register", "when", "loop", "become", "delegate_to", "run_once", "vars", "environment", "tags", "until",
    "retries", "delay", "no_log", "check_mode", "diff", "changed_when", "failed_when", "notify", "hosts", "tasks",
    "gather_facts", "connection", "block", "module_defaults", "throttle", "ignore_errors", "args", "async", "poll",
}  # fmt: skip


def text_of(path, name):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_version_added(path):
    assert yaml.safe_load(text_of(path, "DOCUMENTATION")).get("version_added")


@pytest.mark.parametrize("path", [f for f in FILES if f.parent.name == "modules"], ids=lambda path: path.stem)
def test_examples_use_full_names(path):
    tasks = yaml.safe_load(text_of(path, "EXAMPLES"))
    assert tasks, "no examples"
    for task in tasks:
        for inner in task.get("tasks", []) + task.get("block", []) or [task]:
            modules = [key for key in inner if key not in KEYWORDS]
            assert modules, inner
            assert all(key.count(".") >= 2 for key in modules), modules


BLOCKS = [
    (path.name, number, text)
    for path in sorted((PLUGINS.parent / "docs").glob("docker_extension.md"))
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL))
]


@pytest.mark.parametrize("name, number, text", BLOCKS, ids=["{0}-{1}".format(*block[:2]) for block in BLOCKS])
def test_examples_of_the_guides_use_options_that_exist(name, number, text):
    tasks = [task for play in yaml.safe_load(text) for task in play.get("tasks", [])]
    assert tasks
    for task in tasks:
        (module,) = [key for key in task if key not in KEYWORDS]
        documentation = yaml.safe_load(text_of(PLUGINS / "modules" / (module.rsplit(".", 1)[-1] + ".py"), "DOCUMENTATION"))
        unknown = set(task[module]) - set(documentation["options"])
        assert module.startswith("dockhost.azure.") and not unknown, (module, unknown)


PLAYBOOKS = sorted((PLUGINS.parent / "playbooks").glob("*.yml"))
EVERYWHERE = "".join(path.read_text() for folder in ("playbooks", "roles") for path in (PLUGINS.parent / folder).rglob("*.y*ml"))


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_playbooks_say_which_variables_they_take(path):
    """The comment below --- says what a playbook does, and names the variables of its own that one may give (those with default or is defined)."""
    text = path.read_text()
    comment = re.search(r"^---\n((?:#.*\n)+)", text, re.MULTILINE)
    assert comment, "no comment below --- that says what it does"
    documented = set(re.findall(r"^#\s{2,4}(\w+)\s{2,}\S", comment[1], re.MULTILINE))
    assert not [name for name in documented if len(re.findall(r"\b{0}\b".format(name), EVERYWHERE)) < 2], "documented, and not used"
    given = set(re.findall(r"(?<![\w.'])({0}_\w+) (?:\| default\(|is defined)".format(path.stem.partition("_")[0]), text))
    made = set(re.findall(r"(?:register|loop_var): (\w+)", text)) | set(re.findall(r"^\s+(\w+):", text, re.MULTILINE))
    assert not given - made - documented, "may be given, and is not documented"
