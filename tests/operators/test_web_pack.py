"""The examiner's pack from the trader's page."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from risk.core.warehouse import Connection
from tests.operators.web_client import words
from tests.pack_desks import ACCOUNT, MON, OTHER, THU, book_now, lived


def test_traders_page_offers_the_pack_and_gives_it(
    client: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lived(connection)
    book_now(connection, MON, "-1033.20")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    page = client.get(f"/traders/{ACCOUNT}")
    answer = client.get(f"/traders/{ACCOUNT}/pack?from={THU}&to={MON}")

    assert "Pack for an examiner" in words(page)
    assert f'/traders/{ACCOUNT}/pack"' in page.text
    assert answer.headers["content-disposition"] == f'attachment; filename="{ACCOUNT}-{THU}-{MON}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        assert json.loads(pack.read("01-limits.json"))["account"] == ACCOUNT
        assert OTHER not in "".join(pack.read(name).decode() for name in pack.namelist())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        (f"/traders/NET01/pack?from={THU}&to={MON}", 404, "No account is named 'NET01'. Did you mean NET001"),
        (f"/traders/{ACCOUNT}/pack?from={MON}&to={THU}", 404, "is not a range of past days"),
        (f"/traders/{ACCOUNT}/pack?from=x&to={THU}", 422, "Invalid value: from."),
    ],
)
def test_request_without_a_pack_is_answered_with_a_sentence(
    client: Any,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    path: str,
    code: int,
    sentence: str,
) -> None:
    lived(connection)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    answer = client.get(path)

    assert (answer.status_code, sentence in words(answer).replace("&#39;", "'")) == (code, True), words(answer)
    assert list(tmp_path.iterdir()) == []
