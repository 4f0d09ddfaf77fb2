"""The files of a report: exact, harmless in a spreadsheet, never half written."""

from __future__ import annotations

import csv
import io
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from risk.core.errors import StackError
from risk.report.render import limits_csv
from risk.report.send import write_files
from tests.report_desks import account, desk


@contextmanager
def small_files() -> Iterator[None]:
    """Let no file grow beyond 1,000 bytes, as a full disk would.

    Around one call only, never a whole test: pytest writes its progress in between, perhaps to a file that is longer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_limits_csv_has_the_columns_of_the_contract_and_exact_values() -> None:
    facts = desk(
        [
            account("NET001", "0.40", base_limit_usd=Decimal("12345.50"), reasons=("Streak: 5", 'Said "no", twice')),
            account("NET002", "0.00"),
        ]
    )

    assert limits_csv(facts) == (
        "account_id,session_date,effective_session,cut_ratio,base_limit_usd,new_limit_usd,level,source,reasons,"
        "session_limit_usd,largest_loss_usd,use_ratio,outcome\n"
        'NET001,2025-08-15,2025-08-18,0.40,12345.50,7407.30,high,rules,"Streak: 5; Said ""no"", twice",,,,\n'
        "NET002,2025-08-15,2025-08-18,0.00,5000.00,5000.00,low,rules,,,,,\n"
    )


def test_limits_csv_has_only_its_header_when_nobody_is_active() -> None:
    assert limits_csv(desk([])).count("\n") == 1


@pytest.mark.parametrize("attack", ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_limits_csv_has_no_cell_a_spreadsheet_would_run(attack: str) -> None:
    facts = desk([account(attack, reasons=(attack,))])

    row = next(csv.DictReader(io.StringIO(limits_csv(facts), newline="")))

    assert row["account_id"] == row["reasons"] == "'" + attack.replace("\r", " ")


def test_files_are_readable_by_their_owner_only_and_nothing_else_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "desk" / "2025-08-15"

    write_files(folder, {"report.txt": b"first", "limits.csv": b"a,b\n"})
    write_files(folder, {"report.txt": b"second"})

    assert sorted(path.name for path in folder.iterdir()) == ["limits.csv", "report.txt"]
    assert (folder / "report.txt").read_bytes() == b"second"
    assert stat.S_IMODE((folder / "report.txt").stat().st_mode) == 0o600


def test_files_stay_whole_and_a_sentence_is_raised_when_the_disk_is_full(tmp_path: Path) -> None:
    write_files(tmp_path, {"report.txt": b"old", "limits.csv": b"old"})

    with pytest.raises(StackError, match=r"cannot be written to .*: .*Free space .*clear send_report"), small_files():
        write_files(tmp_path, {"report.txt": b"new", "limits.csv": b"x" * 5000})

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"report.txt": b"old", "limits.csv": b"old"}


def test_files_get_a_sentence_when_the_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "2025-08-15").write_text("in the way")

    with pytest.raises(StackError, match="RISK_REPORTS_DIR"):
        write_files(tmp_path / "2025-08-15", {"report.txt": b"new"})
