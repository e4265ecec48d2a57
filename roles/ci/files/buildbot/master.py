# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buildbot's configuration: jobs and agents as role dockhost.azure.ci has them in settings.json, secrets as the swarm brings them.

An agent is a container on one of the hosts, made for one build and removed after it. The engines are reached over mutual TLS.
"""

from __future__ import annotations

import datetime
import json
import pathlib
import re

import docker.tls
from buildbot.plugins import changes, schedulers, steps, util, worker
from buildbot.secrets.providers.base import SecretProviderBase

SECRETS = "/run/secrets"
with open("/etc/buildbot/settings.json", encoding="utf-8") as file:
    SETTINGS = json.load(file)
# Secrets of the jobs are named after them, so that none of them can be taken for one of the controller's own.
JOB_SECRETS = {name: f"job_{name}" for name in SETTINGS["secrets"]}


class SwarmSecrets(SecretProviderBase):
    """Files of the swarm. Buildbot's own provider refuses them, since all users of the container may read them."""

    name = "SwarmSecrets"

    def get(self, entry: str) -> str | None:
        """The secret of this name, or none."""
        path = pathlib.Path(SECRETS, entry)
        return path.read_text(encoding="utf-8").rstrip("\n") if entry in JOB_SECRETS.values() and path.is_file() else None


def image_name(image: str) -> str:
    """An image as an engine lists it, which is how Buildbot looks for it: without the name of Docker Hub."""
    return re.sub(r"^(docker\.io/)(library/)?", "", image)


def agents() -> list:
    """Places for builds: as many on each host as may run there at the same time."""
    tls = docker.tls.TLSConfig(
        client_cert=(f"{SECRETS}/engines_certificate", f"{SECRETS}/engines_key"), ca_cert=f"{SECRETS}/engines_authority", verify=True
    )
    limits = {"mem_limit": f"{SETTINGS['memory']}m"} if SETTINGS["memory"] else {}
    return [
        worker.DockerLatentWorker(
            f"{host}-{number}", None, docker_host=f"https://engine-{host}:2376", tls=tls, image=util.Property("agent_image"), autopull=True,
            masterFQDN="gate:9989", build_wait_timeout=0, max_builds=1,
            hostconfig={"network_mode": SETTINGS["network"], "security_opt": ["no-new-privileges"], **limits},
        )
        for number in range(1, SETTINGS["slots"] + 1)
        for host in SETTINGS["hosts"]
    ]  # fmt: skip


def what_to_do(job: dict) -> util.BuildFactory:
    """Source first, then command by command until one fails."""
    made = util.BuildFactory()
    environment = {**job["environment"], **{name: util.Secret(JOB_SECRETS[name]) for name in job["secrets"]}}
    if job["repository"]:
        made.addStep(steps.Git(repourl=job["repository"], branch=job["branch"], mode="full", method="clobber"))
    for command in job["commands"]:
        made.addStep(steps.ShellCommand(name=command.split()[0][:40], command=["sh", "-ec", command], env=environment, logEnviron=False, haltOnFailure=True))
    return made


def when_to_do_it(job: dict) -> list:
    """By hand and over the API always, by the clock and by changes where the job says so."""
    name = job["name"]
    made = [schedulers.ForceScheduler(name=f"force-{name}", builderNames=[name])]
    if job["schedule"]:
        minute, hour, day, month, weekday = job["schedule"].split()
        made.append(schedulers.Nightly(name=f"clock-{name}", builderNames=[name], minute=minute, hour=hour, dayOfMonth=day, month=month, dayOfWeek=weekday))
    if job["poll_minutes"]:
        filtered = util.ChangeFilter(repository=job["repository"], branch=job["branch"])
        made.append(schedulers.SingleBranchScheduler(name=f"change-{name}", builderNames=[name], change_filter=filtered, treeStableTimer=None))
    return made


JOBS = SETTINGS["jobs"]
WORKERS = agents()
BuildmasterConfig = {
    "title": SETTINGS["title"],
    "buildbotURL": SETTINGS["url"],
    "buildbotNetUsageData": None,
    # Who asks twice gets two builds: what somebody waits for by its number must not go into another one.
    "collapseRequests": False,
    "db": {"db_url": "sqlite:////var/lib/buildbot/state.sqlite"},
    "protocols": {"pb": {"port": 9989}},
    "secretsProviders": [SwarmSecrets()],
    "workers": WORKERS,
    "builders": [
        util.BuilderConfig(
            name=job["name"], workernames=[place.name for place in WORKERS], factory=what_to_do(job),
            properties={"agent_image": image_name(job["image"] or SETTINGS["agent_image"])},
        )
        for job in JOBS
    ],  # fmt: skip
    "schedulers": [scheduler for job in JOBS for scheduler in when_to_do_it(job)],
    "change_source": [
        changes.GitPoller(name=job["name"], repourl=job["repository"], branches=[job["branch"]], pollInterval=job["poll_minutes"] * 60, pollAtLaunch=True)
        for job in JOBS
        if job["poll_minutes"]
    ],
    "www": {"port": 8010, "plugins": {}, "change_hook_dialects": {"poller": True}},
    "configurators": [
        util.JanitorConfigurator(
            logHorizon=datetime.timedelta(days=SETTINGS["keep_days"]), build_data_horizon=datetime.timedelta(days=SETTINGS["keep_days"]), hour=3, minute=17
        )
    ],
}
