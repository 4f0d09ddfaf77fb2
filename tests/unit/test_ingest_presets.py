"""Presets of brokers: where they come from, what a mapping may change of one, and the symbols that they read."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from risk.cli import app
from risk.core.errors import InputError, RequestError
from risk.core.settings import Settings
from risk.ingest.layout import ExecutionFile
from risk.ingest.mapping_files import named_mapping, preset, preset_names, read_mapping
from risk.ingest.read import read_drop
from risk.ingest.streams import Record
from tests.broker_shapes import SHAPES, Drawn
from tests.unit.test_ingest_mapping import BASE, HEADER, ROW, write


@pytest.mark.parametrize(("preset_name", "more"), [("das", ""), ("ibkr-flex", 'currency = "USD"'), ("tradervue", "")])
def test_constant_of_a_mapping_takes_the_place_of_a_column_of_its_preset(
    tmp_path: Path, preset_name: str, more: str
) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(f'preset = "{preset_name}"\naccount = "NET001"\n{more}\n', encoding="utf-8")

    mapping = read_mapping(path)

    assert (mapping.account, mapping.columns.account) == ("NET001", ())
    with ExecutionFile(_empty(tmp_path, preset_name), mapping) as file:
        assert {"account", "date_time"} <= set(file.columns)


def test_column_of_a_mapping_takes_the_place_of_a_constant_of_its_preset(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text('preset = "tradervue"\n[columns]\naccount = "Notes"\n', encoding="utf-8")

    mapping = read_mapping(path)

    assert (mapping.account, mapping.columns.account) == (None, ("Notes",))


def _empty(folder: Path, preset_name: str) -> Path:
    path = folder / SHAPES[preset_name].file_name
    SHAPES[preset_name].write(path, [])
    return path


def test_mapping_may_start_from_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text('preset = "ninjatrader"\nfiles = ["x.csv"]\n[time]\nzone = "America/Chicago"\n', encoding="utf-8")

    mapping = read_mapping(path)

    assert (mapping.files, mapping.time.zone) == (("x.csv",), "America/Chicago")
    assert (mapping.time.column, mapping.columns) == (preset("ninjatrader").time.column, preset("ninjatrader").columns)
    assert mapping.sha256 != preset("ninjatrader").sha256


def test_unknown_mapping_is_refused_with_the_presets() -> None:
    with pytest.raises(RequestError, match=r"'dsa' is neither a preset \(das, .*\) nor the path of a \.toml file"):
        named_mapping("dsa")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        # an execution that the broker took back is no execution
        ("lightspeed", (",Trade\n", ",Reversal\n"), "status 'Reversal' is not blank"),
        ("ibkr-flex", (",USD,", ",EUR,"), "in EUR, and fees are US dollars"),
        ("das", (",Cloid\n", ",ECN Fee\n"), "'ECN Fee', of which the mapping das says nothing"),
    ],
)
def test_preset_never_passes_over_what_changes_the_result(
    tmp_path: Path, name: str, change: tuple[str, str], said: str
) -> None:
    fill = Drawn(dt.datetime(2025, 8, 15, 9, 31), "A1", "B", 1, 0, Decimal(10), Decimal(1), Decimal(0), 1)  # noqa: DTZ001
    path = tmp_path / SHAPES[name].file_name
    SHAPES[name].write(path, [fill])
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")

    result = CliRunner().invoke(app, ["pnl", "--fills", str(tmp_path), "--mapping", name])

    assert said in result.stderr + str(result.exception)


@pytest.mark.parametrize(
    ("text", "symbol"), [("BRK B", "BRK/B"), ("BAC PRL", "BAC-PL"), ("AAPL", "AAPL"), ("ESU5", "ESU5")]
)
def test_interactive_brokers_symbols_of_classes_are_ours(tmp_path: Path, text: str, symbol: str) -> None:
    with ExecutionFile(_empty(tmp_path, "ibkr-flex"), preset("ibkr-flex")) as file:
        row = [text if name == "Symbol" else "STK" if name == "AssetClass" else "" for name in file.stream.header]
        assert file.named(Record(2, "", row))["symbol"] == symbol


@pytest.mark.parametrize("name", preset_names())
def test_preset_names_a_public_source_and_fits_the_header_of_it_only(tmp_path: Path, name: str) -> None:
    mapping, shape = preset(name), SHAPES[name]
    assert mapping.source.startswith("https://")
    assert mapping.description

    path = tmp_path / shape.file_name
    shape.write(path, [])
    with ExecutionFile(path, mapping) as file:
        assert {"date_time", "account", "side", "quantity", "symbol", "price"} <= set(file.columns)
    for other in preset_names():
        if other != name:
            with pytest.raises(InputError):
                ExecutionFile(path, preset(other)).stream.header  # noqa: B018


def test_asset_class_tells_a_future_from_a_share_of_the_same_name(tmp_path: Path) -> None:
    mapping = (
        f'symbols = {{ asset_class = {{ column = "Kind", words = {{ STK = "equity", FUT = "future" }} }} }}\n{BASE}'
    ).replace('price = "Price"', 'price = "Price"\nmultiplier = "Size"')
    rows = ("Buy,2,ES,6400,FUT,50", "Sell,2,ES,6340,FUT,50", "Buy,100,ES,60,STK,1", "Sell,100,ES,61,STK,1")
    write(
        tmp_path,
        mapping,
        f"{HEADER},Kind,Size",
        *(f"2025-08-14 09:3{number}:00,{row}" for number, row in enumerate(rows)),
    )

    result = CliRunner().invoke(app, ["pnl", "--fills", str(tmp_path)])

    # 2 x 50 x -60 = -6,000 and 100 x 1 = 100
    assert "A1,2025-08-14,-5900" in result.stdout


@pytest.mark.parametrize(
    "kind", ['all_are = "option"', 'asset_class = { column = "Kind", words = { OPT = "option" } }']
)
def test_underlying_of_an_option_is_no_share(tmp_path: Path, kind: str) -> None:
    # ten contracts counted as ten shares of the underlying
    rows = (f"{ROW},OPT", f"{ROW.replace('AAPL', 'AAPL 19SEP25 150 C')},OPT")
    write(tmp_path, f'unused = ["Kind"]\nsymbols = {{ {kind} }}\n{BASE}', f"{HEADER},Kind", *rows)

    found, (reject,), *_ = read_drop(tmp_path, Settings())

    assert (found["symbol"].tolist(), reject.line_number) == (["AAPL  250919C00150000"], 2)
    assert "the underlying of an option" in reject.reason


def test_row_of_an_unknown_asset_class_is_rejected(tmp_path: Path) -> None:
    mapping = f'symbols = {{ asset_class = {{ column = "Kind", words = {{ STK = "equity" }} }} }}\n{BASE}'
    write(tmp_path, mapping, f"{HEADER},Kind", f"{ROW},BOND")

    _, (reject,), *_ = read_drop(tmp_path, Settings())

    assert "unknown asset class 'BOND'" in reject.reason
