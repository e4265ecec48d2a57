# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's container images, built from Debian packages: no registry has to be reachable.

`azlab/base` is made by mmdebstrap; every other image is a folder with a Dockerfile `FROM azlab/...`. The hash of its folder and of
its parent is a label of each image and the end of its tag (`azlab/gateway:trixie-4f2a90c1d6be`), so that it is built again only when
one of them changed, and two versions of azlab on one engine each use their own.
"""
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import docker
import docker.errors

IMAGES = Path(__file__).with_suffix("")             # the folder beside this file
MIRROR = "http://deb.debian.org/debian"
SECURITY_MIRROR = "http://security.debian.org/debian-security"
SUITE = "trixie"
BASE = f"azlab/base:{SUITE}"
INFRASTRUCTURE = ("machine", "gateway", "registry")
KEPT_DAYS = 7                       # how long an image of another version stays when nothing uses it
LABEL = "azlab.content"
# Settings of the controller's apt that its mirror may need; the images are built from the same mirror.
APT_SETTINGS = ("Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::http::Proxy", "Acquire::https::Proxy")

Progress = Callable[[str], None]


class ImageError(Exception):
    """An image could not be built; the message is one sentence for people."""


@dataclass(frozen=True)
class Built:
    """An image that is ready in the engine. `hub_name` is set for application images only."""

    tag: str
    id: str
    content: str
    hub_name: str = ""


def _app_table() -> dict[str, dict[str, Any]]:
    """Folder under images/apps → its name on Docker Hub (`image`) and the applications that it is `for`."""
    return json.loads((IMAGES / "apps" / "images.json").read_text())


def app_names() -> dict[str, str]:
    """Application images: folder under images/apps → name on Docker Hub."""
    return {name: entry["image"] for name, entry in _app_table().items()}


def images_for(apps: str) -> list[str]:
    """The application images of a list of applications, as `azlab up --apps` takes it. Raises ValueError for what is none."""
    table = _app_table()
    known = sorted({app for entry in table.values() for app in entry["for"]})
    wanted = [word.strip() for word in apps.split(",") if word.strip()]
    if unknown := [word for word in wanted if word not in known and word not in ("all", "none")]:
        raise ValueError(f"'{unknown[0]}' is no application of the lab: give {', '.join(known)}, several with commas between, all or none")
    return [name for name, entry in table.items() if "all" in wanted or set(wanted) & set(entry["for"])]


def folder_hash(folder: Path, parent: str) -> str:
    """Hash of all files of a folder (names, executable bits, contents) and of the parent's hash."""
    digest = hashlib.sha256(parent.encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc"):
        executable = b"x" if os.access(path, os.X_OK) else b"-"
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + executable)
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:24]


def parent_of(dockerfile: Path) -> str:
    """The image that a Dockerfile starts from."""
    found = re.search(r"^FROM\s+(\S+)", dockerfile.read_text(), re.MULTILINE)
    if not found:
        raise ImageError(f"{dockerfile}: no FROM line, so the image has no parent; start it with 'FROM {BASE}'.")
    return found.group(1)


def content_of(name: str) -> str:
    """The hash of an image of the lab (`base`, or a folder of images) and of all that it is built on."""
    if name == "base":
        return folder_hash(IMAGES / "base", " ".join(_mmdebstrap_command("-")))
    parent = parent_of(IMAGES / name / "Dockerfile")
    return folder_hash(IMAGES / name, content_of(parent.removeprefix("azlab/").partition(":")[0]) if parent.startswith("azlab/") else parent)


def tagged(tag: str, content: str) -> str:
    return f"{tag}-{content[:12]}"


@cache
def tag_of(name: str) -> str:
    """The tag of an image of this version of azlab; asked once, so that a lab keeps to what it was started with."""
    return tagged(f"azlab/{name}:{SUITE}", content_of(name))


def any_of(client: docker.DockerClient, name: str) -> str:
    """This version's image, or the newest of any version: enough to clear up what a lab of another version left."""
    try:
        return str(client.images.get(tag_of(name)).id)
    except docker.errors.ImageNotFound:
        found = client.images.list(f"azlab/{name}")
        if not found:
            raise
        return str(max(found, key=lambda image: str(image.attrs.get("Created"))).id)


@contextmanager
def alive(progress: Progress, what: str, every: float = 10.0) -> Iterator[list[str]]:
    """Say that a long step runs, every few seconds that it still does (with its last line), and how long it took."""
    began, last, done = time.monotonic(), [""], threading.Event()

    def tick() -> None:
        while not done.wait(every):
            progress(f"{what}: still at it after {time.monotonic() - began:.0f} s {last[0][:90]}".rstrip())

    progress(what)
    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield last
    finally:
        done.set()
        thread.join()
    progress(f"{what}: done in {time.monotonic() - began:.0f} s")


class Builder:
    """Builds what is missing or out of date. Synchronous: run it in a thread."""

    def __init__(self, client: docker.DockerClient, progress: Progress) -> None:
        self.client = client
        self.progress = progress
        self._done: dict[str, Built] = {}

    def infrastructure(self) -> dict[str, Built]:
        """The images that every lab with machines needs."""
        return {name: self.folder(name, f"azlab/{name}:{SUITE}") for name in INFRASTRUCTURE}

    def apps(self, apps: str) -> list[Built]:
        """The images of some applications, with the names under which the lab's registry serves them."""
        return [self.app(name) for name in images_for(apps)]

    def app(self, name: str) -> Built:
        hub_name = app_names()[name]
        built = self.folder(f"apps/{name}", f"azlab/app-{name}:{hub_name.rpartition(':')[2]}")
        return Built(built.tag, built.id, built.content, hub_name)

    def folder(self, name: str, tag: str) -> Built:
        """The image of images/<name>, built when there is none of this content."""
        if name not in self._done:
            folder, content = IMAGES / name, content_of(name)
            full = tagged(tag, content)
            parent = self._parent(parent_of(folder / "Dockerfile"))
            self._done[name] = self._current(full, content) or self._build(folder, parent, full, content)
        return self._done[name]

    def base(self) -> Built:
        """`azlab/base`: a minimal Debian, imported as one layer."""
        if "base" not in self._done:
            content = content_of("base")
            tag = tagged(BASE, content)
            self._done["base"] = self._current(tag, content) or self._bootstrap(tag, content)
        return self._done["base"]

    def _parent(self, tag: str) -> str:
        """The full tag of a Dockerfile's parent, built when it is one of the lab's."""
        if tag == BASE:
            return self.base().tag
        if tag.startswith("azlab/"):
            return self.folder(tag.removeprefix("azlab/").partition(":")[0], tag).tag
        return tag

    def _current(self, tag: str, content: str) -> Built | None:
        repository, _colon, version = tag.rpartition(":")
        found = self.client.images.list(repository, filters={"label": f"{LABEL}={content}"})
        if not found:
            return None
        if tag not in found[0].tags:
            found[0].tag(repository, version)
        return Built(tag, str(found[0].id), content)

    def _bootstrap(self, tag: str, content: str) -> Built:
        if not shutil.which("mmdebstrap"):
            raise ImageError(
                "mmdebstrap is not installed and the lab's base image is built with it: "
                "run 'apt-get install mmdebstrap' (Debian, Ubuntu), then start again."
            )
        with tempfile.TemporaryDirectory(prefix="azlab-base-") as scratch, \
                alive(self.progress, f"image {tag} (Debian {SUITE}, from packages)") as last:
            tar = Path(scratch) / "base.tar"
            self._mmdebstrap(tar, last)
            changes = [f"LABEL {LABEL}={content}", 'CMD ["/bin/sh"]', "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
            self.client.api.import_image_from_file(str(tar), *tag.split(":"), changes=changes)
        return Built(tag, self.client.images.get(tag).id, content)

    def _mmdebstrap(self, tar: Path, last: list[str]) -> None:
        process = subprocess.Popen(
            _mmdebstrap_command(str(tar)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
        lines: list[str] = []
        for line in process.stderr or ():
            last[0] = line.strip()
            lines.append(line.strip())
        if process.wait() != 0:
            reason = next((line for line in reversed(lines) if line.startswith("E:")), lines[-1] if lines else "no output")
            raise ImageError(
                f"The lab's base image could not be built from {mirror()}: {reason} - check that this Debian mirror can be "
                "reached, or name another one in AZLAB_DEBIAN_MIRROR."
            )

    def _build(self, folder: Path, parent: str, tag: str, content: str) -> Built:
        with tempfile.TemporaryDirectory(prefix="azlab-image-") as scratch, alive(self.progress, f"image {tag}") as last:
            # FROM names the parent without its content, for those who read it; what is built has to be on exactly that one.
            dockerfile = Path(scratch) / "Dockerfile"
            dockerfile.write_text(re.sub(r"^FROM\s+\S+", f"FROM {parent}", (folder / "Dockerfile").read_text(), count=1, flags=re.MULTILINE))
            lines: list[str] = []
            for event in self.client.api.build(path=str(folder), dockerfile=str(dockerfile), tag=tag, rm=True, forcerm=True, decode=True,
                                               labels={LABEL: content}):
                self._build_event(tag, event, lines, last)
        image = self.client.images.get(tag)
        self._remove_old(tag.partition(":")[0], str(image.id))
        return Built(tag, str(image.id), content)

    @staticmethod
    def _build_event(tag: str, event: dict[str, Any], lines: list[str], last: list[str]) -> None:
        text = str(event.get("stream", "")).strip()
        if text:
            lines.append(text)
            last[0] = text.splitlines()[-1]
        if "error" in event:
            tail = "\n".join(lines[-15:])
            raise ImageError(f"Image {tag} could not be built: {str(event['error']).strip()}\n{tail}")

    def _remove_old(self, repository: str, keep: str) -> None:
        """Images of other versions that are some days old; one that a container still uses stays until that is gone."""
        for image in self.client.images.list(repository):
            made = datetime.fromisoformat(str(image.attrs["Created"])[:19] + "+00:00")
            if image.id == keep or datetime.now(UTC) - made < timedelta(days=KEPT_DAYS):
                continue
            try:
                for tag in image.tags:
                    self.client.images.remove(tag)
            except docker.errors.APIError as error:
                if error.status_code not in (404, 409):
                    raise


def mirror() -> str:
    return os.environ.get("AZLAB_DEBIAN_MIRROR", MIRROR)


def security_mirror() -> str:
    return SECURITY_MIRROR if mirror() == MIRROR else mirror().rstrip("/") + "-security"


def _apt_settings() -> list[str]:
    if not shutil.which("apt-config"):
        return []
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    settings = dict(re.findall(r'^(\S+) "(.*)";$', dump, re.MULTILINE))
    return [f'{name} "{settings[name]}"' for name in APT_SETTINGS if name in settings]


def _mmdebstrap_command(target: str) -> list[str]:
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    signed = f"[signed-by={keyring}] " if os.path.exists(keyring) else ""
    return [
        "mmdebstrap", "--variant=minbase", "--format=tar",
        # Speed of images that are thrown away: no fsync, no manuals, no translations.
        "--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*", '--aptopt=Acquire::Languages "none"',
        *(f"--aptopt={setting}" for setting in _apt_settings()),
        "--include=" + ",".join((IMAGES / "base" / "packages").read_text().split()),
        "--customize-hook=rm -rf $1/var/lib/apt/lists/* $1/var/log/apt $1/var/log/dpkg.log",
        SUITE, target,
        f"deb {signed}{mirror()} {SUITE} main",
        f"deb {signed}{mirror()} {SUITE}-updates main",
        f"deb {signed}{security_mirror()} {SUITE}-security main",
    ]
