"""Stand-ins for the images that the files name, where no registry can be reached, made of this machine's own files.

They behave as the documentation of the images says, as far as the compose file relies on it. They are no proof that the
real images do.
"""

from __future__ import annotations

import importlib.util
import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from devstack.postgres import programs_dir
from tests.compose.engine import Engine, NoEngineError

HERE = Path(__file__).parent
PACKAGES = (
    "apt",
    "ca-certificates",
    "libffi8",
    "libreadline8",
    "libsqlite3-0",
    "libssl3",
    "netbase",
    "passwd",
    "tzdata",
)
"""Debian packages beside the essential ones: those of the slim Python image, with this machine's certificates."""
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
MERGED = re.compile(r"^(bin|sbin|lib|lib64)(/|$)")
LEFT_OUT = re.compile(r"^usr/share/(doc|man|locale|info)/")
NOT_OF_PYTHON = re.compile(r"/(test|__pycache__|idlelib|share|include)(/|$)|\.(a|pth)$")
MAIL_PACKAGES = ("aiosmtpd", "attr", "attrs", "public")


class Layers(tarfile.TarFile):
    """An archive in which the first file of a name stays: an engine accepts none twice."""

    def addfile(self, tarinfo: tarfile.TarInfo, fileobj: IO[bytes] | None = None) -> None:
        """Add a member unless there is one of its name."""
        names = self.__dict__.setdefault("names", set())
        if tarinfo.name not in names:
            names.add(tarinfo.name)
            super().addfile(tarinfo, fileobj)


def ensure_images(engine: Engine, names: Iterable[str]) -> list[str]:
    """Pull or make the images that are missing; returns the names of those that were made.

    Raises
    ------
    NoEngineError
        If one can neither be pulled nor made.
    """
    made = []
    for name in names:
        if engine.run("image", "inspect", name).returncode and engine.run("pull", "--quiet", name).returncode:
            _make(engine, name)
            made.append(name)
    return made


def _make(engine: Engine, name: str) -> None:
    add, change = MAKERS[name.partition(":")[0]]
    changes = ("ENV LANG=C.UTF-8", change)
    words = ["docker", "import", *(word for line in changes for word in ("--change", line)), "-", name]
    importer = subprocess.Popen(
        words, env=engine.variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert importer.stdin is not None
    with Layers.open(fileobj=importer.stdin, mode="w|") as archive:
        add(archive)
        add_debian(archive, PACKAGES)
    said, _ = importer.communicate()
    if importer.returncode:
        raise NoEngineError(f"the stand-in for {name} cannot be made: {said.decode()[-300:]}")


def add_debian(archive: tarfile.TarFile, packages: Iterable[str]) -> None:
    """Add the files of Debian's essential packages, of others, and of all that they need; no users of this machine."""
    listed = subprocess.run(
        ["dpkg-query", "--listfiles", *_closure(packages)], capture_output=True, text=True, check=True
    ).stdout
    names = {MERGED.sub(r"usr/\1\2", line[1:]) for line in listed.splitlines() if line.startswith("/") and line != "/."}
    for name in sorted(name for name in names if not LEFT_OUT.match(name)):
        if Path("/", name).exists() or Path("/", name).is_symlink():
            archive.add(f"/{name}", name, recursive=False)
    for name in ("bin", "sbin", "lib", "lib64"):
        add_link(archive, name, f"usr/{name}")
    archive.add(f"/{CERTIFICATES}", CERTIFICATES)
    users = Path("/usr/share/base-passwd")
    add_text(archive, "etc/passwd", (users / "passwd.master").read_text() + "postgres:x:999:999::/:/bin/sh\n")
    add_text(archive, "etc/group", (users / "group.master").read_text() + "postgres:x:999:\n")


def _closure(packages: Iterable[str]) -> list[str]:
    """List the essential packages, others, and all that they need."""
    form = "${Package}\t${Essential}\t${Pre-Depends},${Depends}\n"
    listed = subprocess.run(
        ["dpkg-query", "--show", f"--showformat={form}"], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in listed.stdout.splitlines()]
    needs = {
        name: [re.split(r"[ (:]", need.strip())[0] for need in re.split("[,|]", needed)] for name, _, needed in rows
    }
    waiting, found = [*packages, *(name for name, essential, _ in rows if essential == "yes")], set()
    while waiting:
        name = waiting.pop()
        if name in needs and name not in found:
            found.add(name)
            waiting += needs[name]
    return sorted(found)


def add_python(archive: tarfile.TarFile) -> None:
    """Add a Python 3.12 of this machine below /usr/local, with a pip that trusts this machine's certificates."""
    prefix = _python_prefix()
    add_text(archive, "usr/local/bin/pip", '#!/bin/sh\nexec python3 -m pip "$@"\n', mode=0o755)
    archive.add(prefix, "usr/local", filter=lambda part: None if NOT_OF_PYTHON.search(part.name) else part)
    library = "libpython3.12.so.1.0"
    if (prefix / "lib" / library).exists():
        add_link(archive, f"usr/lib/{library}", f"/usr/local/lib/{library}")
    add_text(archive, "etc/pip.conf", f"[global]\ncert = /{CERTIFICATES}\ndisable-pip-version-check = true\n")


def _python_prefix() -> Path:
    found = sorted(Path.home().glob(".pyenv/versions/3.12.*"))
    if not found:
        raise NoEngineError(
            "no registry answers, and pyenv has no Python 3.12 here to make a stand-in for its image of"
        )
    return found[-1]


def add_postgres(archive: tarfile.TarFile) -> None:
    """Add the Postgres of the tests and an entrypoint like the image's."""
    package = programs_dir().parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        archive.add(folder, f"usr/local/lib/{folder.name}")
    for program in programs_dir().iterdir():
        add_link(archive, f"usr/local/bin/{program.name}", f"../lib/{package.name}/pginstall/bin/{program.name}")
    archive.add(HERE / "postgres_entrypoint.sh", "usr/local/bin/docker-entrypoint.sh", filter=_executable)
    owner = tarfile.TarInfo("var/lib/postgresql")
    owner.type, owner.mode, owner.uid, owner.gid = tarfile.DIRTYPE, 0o1777, 999, 999
    archive.addfile(owner)


def add_mailpit(archive: tarfile.TarFile) -> None:
    """Add a mail server that keeps its mail in a database file and shows it under two of mailpit's addresses."""
    add_python(archive)
    for name in MAIL_PACKAGES:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        archive.add(Path(found.origin).parent, f"usr/local/lib/python3.12/site-packages/{name}")
    archive.add(HERE / "mailpit_stand_in.py", "mailpit.py")
    is_ready = '[ "${1-}" = readyz ] && exec bash -c "< /dev/tcp/127.0.0.1/8025"'
    add_text(archive, "mailpit", f"#!/bin/bash\n{is_ready}\nexec python3 /mailpit.py\n", mode=0o755)


def add_redis(archive: tarfile.TarFile) -> None:
    """Add Debian's Redis and a folder for its data that is its user's."""
    if shutil.which("redis-server") is None:
        raise NoEngineError("no registry answers, and Debian's redis-server is not installed")
    add_debian(archive, ("redis-server",))
    data = tarfile.TarInfo("data")
    data.type, data.mode, data.uid, data.gid = tarfile.DIRTYPE, 0o755, 999, 999
    archive.addfile(data)


def _executable(part: tarfile.TarInfo) -> tarfile.TarInfo:
    part.mode = 0o755
    return part


def add_text(archive: tarfile.TarFile, name: str, text: str, mode: int = 0o644) -> None:
    """Add a file with this text."""
    part = tarfile.TarInfo(name)
    part.size, part.mode = len(text.encode()), mode
    archive.addfile(part, io.BytesIO(text.encode()))


def add_link(archive: tarfile.TarFile, name: str, target: str) -> None:
    """Add a symbolic link."""
    part = tarfile.TarInfo(name)
    part.type, part.linkname = tarfile.SYMTYPE, target
    archive.addfile(part)


MAKERS: dict[str, tuple[Callable[[tarfile.TarFile], None], str]] = {
    "python": (add_python, 'CMD ["python3"]'),
    "postgres": (add_postgres, 'ENTRYPOINT ["docker-entrypoint.sh"]'),
    "redis": (add_redis, 'CMD ["redis-server"]'),
    "axllent/mailpit": (add_mailpit, 'ENTRYPOINT ["/mailpit"]'),
}
"""What is added to Debian's files, and how the image starts, by the name of the image."""
