# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation site: guides (docs/*.md), pages of modules, plugins and roles (antsibull-docs), playbooks, roles' READMEs, by Sphinx.

    .venv/bin/python scripts/docs.py .work/docs

Everything is put together in DESTINATION/source; the site is DESTINATION/html. Warnings are errors, and nothing is fetched.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.executable).parent
REPOSITORY = yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"] + "/blob/main/"
_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_CONTENTS = re.compile(r"^\.\. contents::\n(?:   .*\n)*", re.MULTILINE)
_ENTRY = re.compile(r"^    (\w+)_(module|role|inventory)$", re.MULTILINE)
_TAGGED = re.compile(r"dockhost\.azure\.(\w+)")


def main(destination: pathlib.Path) -> None:
    """Build the site."""
    source = destination / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "docs" / "site", source)
    shutil.copy(ROOT / "galaxy.yml", source)
    shutil.copy(ROOT / "docs" / "picture.svg", source / "_static")
    guides(source)
    (source / "playbooks.md").write_text(playbooks())
    role_readmes(source)
    reference(source / "reference")
    (source / "builtin.txt").write_text("".join(builtin_names()))
    html = destination / "html"
    run("sphinx-build", "-W", "--keep-going", "-q", "-E", "-b", "html", str(source), str(html))
    print("the site is in {0}".format(os.path.relpath(html)))


def run(program: str, *words: str) -> str:
    """A program of this Python environment; its output. Ends this one when it fails."""
    env = dict(os.environ, PATH="{0}:{1}".format(BIN, os.environ["PATH"]), ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".work" / "dev"), ANSIBLE_NOCOLOR="1")
    done = subprocess.run([str(BIN / program), *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit("{0} failed:\n{1}".format(program, done.stdout))
    return done.stdout


# -- guides and READMEs ---------------------------------------------------------------------------------------------------------------


def page(path: pathlib.Path, places: dict[pathlib.Path, str], here: str) -> str:
    """A Markdown file of the repository as a page of the site: its links lead to pages, or to the file in the repository."""
    def link(match: re.Match[str]) -> str:
        target, dummy, fragment = match[1].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return match[1]
        file = (path.parent / target).resolve()
        if not file.exists():
            sys.exit("{0}: the link {1} leads to nothing.".format(path.relative_to(ROOT), match[1]))
        if file in places:
            return os.path.relpath(places[file], os.path.dirname(here)) + ("#" + fragment if fragment else "")
        return REPOSITORY + str(file.relative_to(ROOT)) + ("#" + fragment if fragment else "")

    text, made, begun = path.read_text(), [], 0
    for fence in _FENCE.finditer(text):
        made += [_LINK.sub(link, text[begun : fence.start()]), fence[0]]
        begun = fence.end()
    return "".join(made) + _LINK.sub(link, text[begun:])


def all_places() -> dict[pathlib.Path, str]:
    """Where each Markdown file of the repository is in the site."""
    found = {file: "guides/" + file.name for file in sorted((ROOT / "docs").glob("*.md"))}
    found.update({file: "roles/{0}.md".format(file.parent.name) for file in sorted((ROOT / "roles").glob("*/README.md"))})
    found[ROOT / "README.md"] = "index.md"
    return found


def guides(source: pathlib.Path) -> None:
    """The guides, those that the index does not name yet below the others."""
    places, index = all_places(), (source / "index.md").read_text()
    (source / "guides").mkdir()
    for readme in [ROOT / "README.md", *sorted((ROOT / "examples").glob("*/README.md"))]:
        page(readme, places, "index.md")  # no pages of the site, but their links have to lead somewhere too
    more = []
    for file, place in places.items():
        if place.startswith("guides/"):
            (source / place).write_text(page(file, places, place))
            if place[:-3] not in index:
                more.append(place[:-3])
    lines = [line for line in index.splitlines() if not line.startswith("guides/") or (source / (line + ".md")).exists()]
    (source / "index.md").write_text("\n".join(lines).replace("@MORE@", "\n".join(more)) + "\n")


def role_readmes(source: pathlib.Path) -> None:
    """Roles with their examples; all of their variables are in the reference."""
    (source / "roles").mkdir()
    names = []
    for file, place in all_places().items():
        if place.startswith("roles/"):
            name = file.parent.name
            names.append(name)
            note = "\n\nAll variables: [role {0}](../reference/{0}_role.rst).\n".format(name)
            (source / place).write_text(page(file, all_places(), place).rstrip() + note)
    toctree = "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```\n"
    (source / "roles" / "index.md").write_text("# Roles by example\n\n" + toctree)


# -- the reference --------------------------------------------------------------------------------------------------------------------


def reference(folder: pathlib.Path) -> None:
    """Pages of modules, plugins and roles, by antsibull-docs."""
    folder.mkdir(mode=0o755)
    run("antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error", "--no-add-antsibull-docs-version",
        "--dest-dir", str(folder), "dockhost.azure")  # fmt: skip
    for file in folder.glob("*.rst"):
        text = _CONTENTS.sub("", file.read_text())  # the theme has the contents of a page at its side
        file.write_text(_ENTRY.sub(r"    \1 \2 <\1_\2>", text) if file.stem == "index" else text)


def builtin_names() -> list[str]:
    """Kind and name of each plugin of ansible.builtin, for links to Ansible's own documentation."""
    import ansible

    base = pathlib.Path(ansible.__file__).parent
    found = ["module {0}\n".format(file.stem) for file in sorted((base / "modules").glob("*.py")) if file.stem != "__init__"]
    for folder in sorted((base / "plugins").iterdir()):
        for file in sorted(folder.glob("*.py")) + sorted(folder.glob("*.yml")) if folder.is_dir() else []:
            found.append("{0} {1}\n".format(folder.name, file.stem))
    return found


# -- playbooks ------------------------------------------------------------------------------------------------------------------------


def playbooks() -> str:
    """A page with each playbook: what it does, its own variables, and whose variables it takes besides."""
    parts = ["# Playbooks\n\nEach is run by its full name, `ansible-playbook -i INVENTORY dockhost.azure.NAME`, and takes the variables of the roles in it.\n"]
    for file in sorted((ROOT / "playbooks").glob("*.yml")):
        parts.append(playbook(file))
    return "\n".join(parts)


def playbook(file: pathlib.Path) -> str:
    """One playbook, from the comment at its top and from what it uses."""
    text = file.read_text()
    comment = re.match(r"(?:#.*\n)*---\n((?:#.*\n)*)", text)
    lines = [line[1:].rstrip() for line in comment[1].splitlines()] if comment else []
    if not lines:
        sys.exit("{0} has no comment below '---' that says what it does.".format(file.relative_to(ROOT)))
    about, variables = [], []
    target = about
    for line in lines:
        if line.strip().startswith("Variables"):
            target = variables
        else:
            target.append(line)
    what = re.sub(r"docs/(\w+)\.md", r"[\1](guides/\1.md)", " ".join(line.strip() for line in about))
    made = ["## {0}\n".format(file.stem), what + "\n"]
    if variables:
        made += ["| variable | what it is |", "|---|---|"]
        made += ["| `{0}` | {1} |".format(name, meaning.replace("|", "\\|")) for name, meaning in pairs(variables)] + [""]
    used = uses(yaml.safe_load(text))
    if used["playbooks"]:
        made.append("Runs " + ", ".join("[{0}](#{0})".format(name) for name in used["playbooks"]) + ".\n")
    if used["roles"]:
        made.append("Variables of its roles: " + ", ".join("[{0}](reference/{0}_role.rst)".format(name) for name in used["roles"]) + ".\n")
    return "\n".join(made)


def pairs(lines: list[str]) -> list[tuple[str, str]]:
    """(variable, what it is) of the lines below Variables; a line that is set in further belongs to the one above."""
    found: list[tuple[str, str]] = []
    for line in lines:
        match = re.match(r"\s{1,4}(\w+)\s{2,}(.*)", line)
        if match:
            found.append((match[1], match[2]))
        elif found and line.strip():
            found[-1] = (found[-1][0], found[-1][1] + " " + line.strip())
    return found


def uses(plays: list[dict[str, object]]) -> dict[str, list[str]]:
    """The playbooks and roles of the collection that a playbook uses."""
    found: dict[str, list[str]] = {"playbooks": [], "roles": []}

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                kind = {"import_playbook": "playbooks", "include_role": "roles", "import_role": "roles"}.get(str(key).rpartition(".")[2])
                name = inner.get("name") if isinstance(inner, dict) else inner
                match = _TAGGED.fullmatch(str(name)) if kind else None
                if match and match[1] not in found[kind]:
                    found[kind].append(match[1])
                if key == "roles" and isinstance(inner, list):
                    walk([{"include_role": {"name": role.get("role", role.get("name")) if isinstance(role, dict) else role}} for role in inner])
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(plays)
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: docs.py DESTINATION")
    main(pathlib.Path(sys.argv[1]).resolve())
