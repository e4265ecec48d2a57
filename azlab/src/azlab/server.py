# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process: HTTPS for clients, plain HTTP for the admin API, machines behind them."""
from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import os
import signal
import socket
import ssl
import sys
import time
from pathlib import Path

from aiohttp import http_exceptions, web

from azlab import conditions, pki
from azlab.admin import Admin
from azlab.app import App
from azlab.lab import Lab
from azlab.machines.driver import MachineDriver, MachineError
from azlab.machines.none import NoMachines
from azlab.proxy import Proxy
from azlab.requestlog import RequestLog
from azlab.settings import Settings, SettingsError, load

log = logging.getLogger("azlab.server")
http_log = logging.getLogger("azlab.http")


@http_log.addFilter
def _without_traceback(record: logging.LogRecord) -> bool:
    """What is no HTTP is the client's mistake and was answered with 400: one line of the log, not a traceback of the parser."""
    problem = record.exc_info[1] if record.exc_info else None
    if isinstance(problem, (http_exceptions.HttpProcessingError, web.RequestPayloadError)):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args, record.exc_info = f"not HTTP: {' '.join(str(problem).split())[:200]}", (), None
    return True


def make_driver(settings: Settings) -> MachineDriver:
    """The driver of `--machines`."""
    if settings.machines == "none":
        return NoMachines()
    if settings.machines == "docker":
        from azlab.machines.docker import create_driver  # loaded only where it is wanted: it needs Docker's SDK
        driver: MachineDriver = create_driver(settings.driver_config())
        return driver
    raise SettingsError(f"machines is '{settings.machines}', but must be 'none' or 'docker'.")


def listen(port: int, what: str, option: str = "port") -> socket.socket:
    """A listening loopback socket; port 0 takes a free one. `option` chooses it, for the error message."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as problem:
        sock.close()
        raise SettingsError(f"port {port} for {what} cannot be used ({problem.strerror}): choose another one with "
                            f"--{option}, or --{option} 0 for a free one.") from None
    sock.listen(512)
    return sock


class Server:
    """A running lab. `start` returns when it serves; `wait` when it was asked to stop."""

    def __init__(self, settings: Settings, driver: MachineDriver | None = None) -> None:
        self.settings = settings
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.home.chmod(0o700)
        pki.ensure(settings.home, settings.name)
        self.driver = driver or make_driver(settings)
        self._stopped = asyncio.Event()
        self._runners: list[web.AppRunner] = []

    def _lock_home(self) -> None:
        """One server per lab: two would write the same state. The lock goes with the process, however it ends."""
        self._lock = (self.settings.home / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise SettingsError(f"lab '{self.settings.name}' is starting or running already: see 'azlab status --name "
                                f"{self.settings.name}', or end it with 'azlab down'.") from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    async def start(self) -> None:
        self._lock_home()
        api = listen(self.settings.port, "the API")
        admin = listen(self.settings.admin_port, "the admin API", "admin-port")
        proxy = listen(self.settings.proxy_port, "the proxy", "proxy-port")
        self.settings.port, self.settings.admin_port, self.settings.proxy_port = (
            sock.getsockname()[1] for sock in (api, admin, proxy))
        self.requests = RequestLog(self.settings.home / "requests.jsonl")
        self.lab = Lab(self.settings, self.driver)
        if self.settings.conditions:
            conditions.load(self.lab, Path(self.settings.conditions))
        conditions.apply(self.lab, self.settings.given)
        app = App(self.lab, self.requests)
        await self.driver.start(_progress)
        await self.lab.open()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.settings.home / "server.pem", self.settings.home / "server-key.pem")
        await self._serve(app.web, api, context)
        await self._serve(Admin(self.lab, self.requests, self.stop, app.router.render).web, admin, None)
        self.proxy = Proxy(self.settings.port)
        await self.proxy.start(proxy)
        self.settings.pid = os.getpid()
        self.settings.save()

    async def _serve(self, app: web.Application, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0,
                               keepalive_timeout=75, logger=http_log)
        await runner.setup()
        await web.SockSite(runner, sock, ssl_context=context).start()
        self._runners.append(runner)

    def stop(self) -> None:
        self._stopped.set()

    async def wait(self) -> None:
        await self._stopped.wait()

    async def close(self) -> None:
        await self.proxy.close()
        for runner in self._runners:
            await runner.cleanup()
        await self.lab.close()
        self.requests.close()
        self.settings.pid = 0
        self.settings.save()
        self._lock.close()


def _progress(text: str) -> None:
    log.info("%s", text)


async def serve(settings: Settings) -> None:
    """Run until SIGTERM, SIGINT or the admin API's shutdown."""
    began = time.monotonic()
    server = Server(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    starting = loop.create_task(server.start())
    stopping = loop.create_task(server.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        log.info("stopped while starting")
        starting.cancel()
        return
    starting.result()
    log.info("ready after %.1f s: %s (admin http://127.0.0.1:%d)", time.monotonic() - began, settings.url,
             settings.admin_port)
    await stopping
    log.info("stopping")
    await server.close()


def main() -> int:
    """`python -m azlab.server NAME`: the process that `azlab up` starts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    name = parser.parse_args().name
    os.umask(0o077)         # state and logs are this user's alone
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        settings = load(name)
        if settings is None:
            raise SettingsError(f"there is no lab '{name}': make it with 'azlab up --name {name}'.")
        asyncio.run(serve(settings))
    except (SettingsError, MachineError) as problem:
        log.error("cannot start: %s", problem)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
