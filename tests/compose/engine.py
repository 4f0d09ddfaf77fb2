"""A container engine for these tests: the machine's own where one answers, else one that is started here and ended.

Everything of the engine that is started here, its images included, lies in one folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_S = 60.0
NETWORK, BRIDGE_ADDRESS, POOL = "docker0", "10.213.0.1/24", "base=10.214.0.0/16,size=24"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PLUGINS = ("docker-compose", "docker-buildx")
"""Debian packages with the commands `docker compose` and `docker buildx`; bookworm has none."""


class NoEngineError(Exception):
    """This machine cannot run the tests; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers.

    Attributes
    ----------
    environment
        Variables with which the command `docker` finds it and its plugins.
    """

    environment: Mapping[str, str]

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a command that uses the engine."""
        return {**os.environ, **self.environment}

    def run(self, *arguments: str, timeout: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Run `docker` with arguments; its output is captured, its exit code the caller's to look at."""
        return subprocess.run(
            ["docker", *arguments],
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )


@contextlib.contextmanager
def running_engine(folder: Path) -> Iterator[Engine]:
    """Give an engine; one that is started here is ended afterwards.

    Parameters
    ----------
    folder
        Where plugins, images and state are kept; the next engine started there finds the images again.

    Raises
    ------
    NoEngineError
        If there is none and none can be started.
    """
    if shutil.which("docker") is None:
        raise NoEngineError("the command docker is missing (Debian: docker.io)")
    config = folder / "config"
    own = Engine({})
    if own.run("compose", "version").returncode != 0:
        fetch_plugins(folder, config / "cli-plugins")
        own = Engine({"DOCKER_CONFIG": str(config)})
    if own.run("info").returncode == 0:
        yield own
        return
    with _started(folder) as address:
        yield Engine({**own.environment, "DOCKER_HOST": address})


def fetch_plugins(folder: Path, target: Path) -> None:
    """Unpack compose and buildx from Debian trixie, whose programs need no newer libraries than bookworm's.

    Raises
    ------
    NoEngineError
        If they cannot be had.
    """
    if all((target / name).exists() for name in PLUGINS):
        return
    if shutil.which("apt-get") is None or not KEYRING.exists():
        raise NoEngineError("docker compose is missing, and this is no Debian to fetch it from")
    state = folder / "apt"
    for name in ("lists/partial", "archives/partial", "unpacked"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_archive()} trixie main\n")
    places = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(word for name, place in places.items() for word in ("-o", f"{name}={place}"))]
    packages = state / "archives"
    try:
        _run([*apt, "update"], packages)
        _run([*apt, "download", *PLUGINS], packages)
        for package in packages.glob("*.deb"):
            _run(["dpkg", "-x", str(package), str(state / "unpacked")], packages)
    except subprocess.CalledProcessError as error:
        raise NoEngineError(f"docker compose cannot be fetched from Debian: {error.stderr.strip()[-300:]}") from None
    target.mkdir(parents=True, exist_ok=True)
    for name in PLUGINS:
        shutil.copy2(state / "unpacked" / "usr" / "libexec" / "docker" / "cli-plugins" / name, target / name)
    shutil.rmtree(state)


def _archive() -> str:
    """Return the address of Debian's archive that this machine's own apt uses."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in listed.stdout.splitlines():
        codename, component, address = line.split(" ", 2)
        if (codename, component) == ("bookworm", "main"):
            return address
    raise NoEngineError("docker compose is missing, and apt names no archive of Debian bookworm (apt-get update)")


def _run(command: Sequence[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)


@contextlib.contextmanager
def _started(folder: Path) -> Iterator[str]:
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        raise NoEngineError("no engine answers, and none can be started: that needs dockerd and root")
    folder.mkdir(parents=True, exist_ok=True)
    address = f"unix://{folder}/docker.sock"
    command = [
        *("dockerd", "--host", address, "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
        *("--pidfile", str(folder / "dockerd.pid"), "--bip", BRIDGE_ADDRESS, "--default-address-pool", POOL),
        # The default asks for more open files than a machine without CAP_SYS_RESOURCE may give.
        *("--default-ulimit", "nofile=10000:10000"),
    ]
    had_network = Path("/sys/class/net", NETWORK).exists()
    with (folder / "dockerd.log").open("w") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await_answer(daemon, Engine({"DOCKER_HOST": address}), folder / "dockerd.log")
        yield address
    finally:
        daemon.terminate()
        daemon.wait(timeout=60)
        shutil.rmtree(folder / "exec", ignore_errors=True)
        if not had_network:
            subprocess.run(["ip", "link", "delete", NETWORK], capture_output=True, check=False)


def _await_answer(daemon: subprocess.Popen[bytes], engine: Engine, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while engine.run("info").returncode != 0:
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise NoEngineError(f"dockerd does not start: {' '.join(log.read_text().split())[-300:]}")
        time.sleep(0.3)
