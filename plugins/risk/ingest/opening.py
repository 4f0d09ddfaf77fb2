"""Opening a delivered file: every byte that is loaded comes through here.

Whoever may write into the folder must not make the pipeline read another file, wait for ever, or load half a file: no
links, no pipes or devices, and what changes while it is read is not used.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path
from typing import Final, Self

from risk.core.errors import InputError
from risk.ingest.rules import FileFinding

NOT_PLAIN: Final = "is a link or no plain file: put the file itself into the folder."

_BLOCK_BYTES: Final = 1 << 20


class ChangedFileError(InputError):
    """A file was changed, replaced or removed while it was read; wait until it is complete."""


class DeliveredFile(io.FileIO):
    """A delivered file, open for reading once: what is checked, read and hashed is one descriptor.

    Attributes
    ----------
    digest
        SHA-256 of the bytes read so far.
    byte_count
        How many these are.
    """

    path: Path
    identity: tuple[int, ...]
    digest: hashlib._Hash
    byte_count: int

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a plain file; a link, a directory, a pipe or a device is refused and never waited for.

        Raises
        ------
        InputError
            If it is none, or cannot be opened.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if path.is_symlink() or (path.exists() and not path.is_file()):
                raise InputError(f"{path.name} {NOT_PLAIN}") from None
            raise InputError(
                f"{path.name} cannot be opened ({error.strerror}): let the user that runs this read it."
            ) from None
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise InputError(f"{path.name} {NOT_PLAIN}")
        file = cls(descriptor)
        file.path, file.identity = path, identity(found)
        file.digest, file.byte_count = hashlib.sha256(), 0
        return file

    def read(self, size: int | None = -1, /) -> bytes:
        """Read and hash bytes as they are."""
        data = super().read(size) or b""
        self.digest.update(data)
        self.byte_count += len(data)
        return data

    def check_unchanged(self) -> None:
        """Check that the file is as it was when it was opened, and still the one of its name.

        Raises
        ------
        ChangedFileError
            If not.
        """
        now = identity(os.fstat(self.fileno()))
        try:
            named = identity(self.path.lstat())
        except OSError:
            named = ()
        if self.identity == now == named:
            return
        how = "was removed" if not named else "changed" if self.identity[:2] == named[:2] else "was replaced"
        raise ChangedFileError(
            f"{self.path.name} {how} while it was read, so nothing of it is loaded. Once it is complete, the next run "
            "loads it."
        )


def identity(found: os.stat_result) -> tuple[int, ...]:
    """Return what stays the same while a file does: device, inode, size in bytes, and last change in nanoseconds."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def file_sha256(path: Path) -> str:
    """Hash a file's bytes as they lie in the folder; blank if they cannot be read."""
    try:
        with DeliveredFile.open(path) as file:
            while file.read(_BLOCK_BYTES):
                pass
            return file.digest.hexdigest()
    except (OSError, InputError):
        return ""


def finding_of(path: Path, error: InputError) -> FileFinding:
    """Say that a file is not loaded: one that changed while it was read waits, any other is quarantined."""
    return FileFinding(path.name, str(error), "waiting" if isinstance(error, ChangedFileError) else "quarantined")
