"""Scratch files: what is too large for memory while the books are made."""

from __future__ import annotations

import tempfile
from typing import IO

from risk.core.settings import settings


def binary_scratch() -> IO[bytes]:
    """Open a file without a name, gone when it is closed or its process ends."""
    return tempfile.TemporaryFile(dir=_folder())


def _folder() -> str | None:
    folder = settings().scratch_dir
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)
