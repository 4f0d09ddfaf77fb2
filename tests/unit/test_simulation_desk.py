"""The simulated desk of a first run, and the files of any simulation."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from risk.core.calendar import next_session
from risk.core.errors import RequestError
from risk.core.policy_document import default_policy
from risk.core.settings import PROJECT_DIR
from risk.ingest.file_names import MARKER
from risk.limits import rules
from risk.limits.fit import LossRecord, review_limits
from simulation.desk import draw_desk, write_desk
from simulation.law import law_of
from simulation.truth import LAST_SESSION, draw, draw_results, sessions_through
from simulation.writing import simulate
from tests.policies import account_policy

STATED_DAYS = {
    "NET001": 68, "NET002": 12, "NET005": 68, "NET009": 66, "NET010": 63, "NET015": 39,
    "NET018": 63, "NET026": 60, "NECS005": 65, "NECS010": 36, "NEL004": 49, "NEL005": 36,
}  # fmt: skip
"""The firm's own roster: the design's domain facts, section 1."""

API_HEADER = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Liq,Comm,Ecn Fee,SEC,ORF,CAT,TAF,FTT,NSCC,Acc,Clr,Misc,"
    "Order Id,Fill Id,Currency,ISIN,CUSIP,Status,PropReports Id"
)
"""The first line of the vendor's files in the 26-column shape."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    write_desk(folder)
    return folder


@pytest.fixture(scope="module")
def fills(desk: Path) -> dict[str, list[dict[str, str]]]:
    return _fills(desk)


def _fills(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Read the rows by session."""
    found = {}
    for path in sorted(folder.glob("fills_*.csv")):
        with path.open(encoding="ascii", newline="") as lines:
            found[path.stem.removeprefix("fills_")] = list(csv.DictReader(lines))
    return found


def _sessions_by_account(fills: dict[str, list[dict[str, str]]]) -> dict[str, list[str]]:
    traded: dict[str, list[str]] = {}
    for session, rows in fills.items():
        for account in {row["Account"] for row in rows}:
            traded.setdefault(account, []).append(session)
    return traded


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_desk_gives_every_trader_the_stated_trading_days(fills: dict[str, list[dict[str, str]]]) -> None:
    traded = _sessions_by_account(fills)

    days = {account: len(traded[account]) for account in STATED_DAYS}

    assert days == STATED_DAYS
    assert sum(days.values()) == 625
    assert len({session for account in STATED_DAYS for session in traded[account]}) == 68


def test_desk_ends_on_the_stated_sessions(fills: dict[str, list[dict[str, str]]]) -> None:
    traded = _sessions_by_account(fills)

    newest = {account: traded[account][-1] for account in STATED_DAYS}

    assert newest.pop("NET002") == "2025-08-14"
    assert set(newest.values()) == {"2025-08-15"}


def test_desk_has_eleven_legacy_accounts_that_stopped_long_ago(fills: dict[str, list[dict[str, str]]]) -> None:
    traded = _sessions_by_account(fills)
    recent = sorted(fills)[-30:]

    legacy = {account for account in traded if account.endswith("_OLD")}

    assert legacy == {f"{account}_OLD" for account in STATED_DAYS if account != "NEL005"}
    assert all(traded[account][-1] < recent[0] for account in legacy)


def test_desk_has_a_file_for_each_session_of_the_exchange(fills: dict[str, list[dict[str, str]]], desk: Path) -> None:
    sessions = sorted(fills)

    followers = [next_session(draw_desk().session_dates[place]).isoformat() for place in range(len(sessions) - 1)]

    assert sessions[1:] == followers
    assert sorted(path.stem.removeprefix("marks_") for path in desk.glob("marks_*.csv")) == sessions


def test_desk_trades_about_sixteen_hundred_fills_a_session(fills: dict[str, list[dict[str, str]]]) -> None:
    counts = [len(fills[session]) for session in sorted(fills)[-68:]]

    assert sum(counts) / 68 == pytest.approx(1600, rel=0.1)


def test_desk_fills_are_in_api_shape_with_unique_ids(fills: dict[str, list[dict[str, str]]]) -> None:
    rows = [row for session in fills.values() for row in session]

    vendor_ids, fill_ids = Counter(row["PropReports Id"] for row in rows), Counter(row["Fill Id"] for row in rows)

    assert ",".join(rows[0]) == API_HEADER
    assert max(vendor_ids.values()) == max(fill_ids.values()) == 1
    assert {row["B/S"] for row in rows} == {"B", "S", "T", "C"}
    assert {row["Status"] for row in rows} == {""}
    assert any(float(row["Ecn Fee"]) < 0 for row in rows)


def test_desk_fills_are_sorted_and_lie_within_the_trading_day(fills: dict[str, list[dict[str, str]]]) -> None:
    for session, rows in fills.items():
        times = [row["Date/Time"] for row in rows]
        # 2025-07-03 is a half day: 13:00 and half an hour after it.
        end = "13:30:00" if session == "2025-07-03" else "16:30:00"
        date = f"{session[5:7]}/{session[8:]}/{session[:4]}"

        assert times == sorted(times)
        assert f"{date} 07:00:00" <= times[0] <= times[-1] <= f"{date} {end}"
        regular = sum("09:30:00" <= time[11:] < "16:00:00" for time in times)
        assert regular > 0.5 * len(times) or len(times) < 200


def test_desk_is_marked_as_simulated(desk: Path) -> None:
    marker = json.loads((desk / MARKER).read_text(encoding="ascii"))

    assert marker == {"last_session": "2025-08-15", "seed": 7108, "sessions": 102, "set": "real", "traders": 23}


def test_desk_is_the_same_to_the_byte_when_written_again(desk: Path, tmp_path: Path) -> None:
    write_desk(tmp_path / "again")

    assert _digests(tmp_path / "again") == _digests(desk)


@pytest.mark.e2e
def test_simulation_is_the_same_to_the_byte_in_processes_with_other_hash_seeds(tmp_path: Path) -> None:
    program = "import sys, pathlib; from simulation.writing import simulate; "
    program += "simulate('strong', 5, 12, 42, pathlib.Path(sys.argv[1]))"

    for hash_seed in ("0", "4242"):
        environment = os.environ | {
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": f"{PROJECT_DIR / 'plugins'}:{PROJECT_DIR}",
        }
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / hash_seed)], env=environment, check=True, cwd=tmp_path
        )

    digests = _digests(tmp_path / "0")
    assert len(digests) == 12 + 12 + 2
    assert _digests(tmp_path / "4242") == digests


def test_simulation_differs_when_the_seed_differs(tmp_path: Path) -> None:
    for seed in (1, 2):
        simulate("weak", 2, 3, seed, tmp_path / str(seed))

    assert (tmp_path / "1" / "truth.csv").read_bytes() != (tmp_path / "2" / "truth.csv").read_bytes()


def test_simulation_leaves_nothing_of_an_earlier_one_in_its_folder(tmp_path: Path) -> None:
    simulate("weak", 3, 20, 1, tmp_path / "desk")

    simulate("null", 2, 4, 9, tmp_path / "desk")
    simulate("null", 2, 4, 9, tmp_path / "fresh")

    assert _digests(tmp_path / "desk") == _digests(tmp_path / "fresh")


def test_simulation_refuses_a_folder_with_other_files_and_leaves_it_alone(tmp_path: Path) -> None:
    precious = tmp_path / "fills_2025-08-15.csv"
    precious.write_text("real", encoding="ascii")

    with pytest.raises(RequestError, match=MARKER):
        simulate("weak", 2, 3, 1, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [precious.name]
    assert precious.read_text(encoding="ascii") == "real"


def test_simulation_refuses_a_file_as_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "desk"
    file.write_text("", encoding="ascii")

    with pytest.raises(RequestError, match="is a file"):
        simulate("weak", 2, 3, 1, file)


def test_simulation_writes_no_fills_file_for_a_session_in_which_nobody_trades(tmp_path: Path) -> None:
    # One trader with some 87 % attendance: in 60 sessions at least one is missed (chance of none: 0.87^60 = 0.02 %).
    written = simulate("null", 1, 60, 1, tmp_path)

    assert len(list(tmp_path.glob("fills_*.csv"))) == written.trader_day_count < 60
    assert len(list(tmp_path.glob("marks_*.csv"))) == 60


def test_traders_on_tilt_average_down_more_often(tmp_path: Path) -> None:
    # given the tilt of each account-session, and its opening fills at a price better for the trader than the one
    # before in the same order: an order walks the book to worse prices, so only averaging down gets better ones
    simulate("strong", 8, 40, 1, tmp_path)
    truth = draw("strong", 8, 40, 1)
    rows = {session.isoformat(): place for place, session in enumerate(truth.session_dates)}
    columns = {account: place for place, account in enumerate(truth.account_ids)}
    better: dict[bool, list[bool]] = {True: [], False: []}

    for session, executions in _fills(tmp_path).items():
        last: dict[str, float] = {}
        for fill in executions:
            if fill["B/S"] not in "BT":
                continue
            price, order = float(fill["Price"]), fill["Order Id"]
            if order in last:
                tilt = truth.tilt[rows[session], columns[fill["Account"]]]
                gain = (last[order] - price) * (1 if fill["B/S"] == "B" else -1)
                better[bool(tilt >= 0.6)].append(gain > 0.015)
            last[order] = price

    tilted, calm = (sum(better[key]) / len(better[key]) for key in (True, False))
    assert tilted > 2 * calm > 0


def test_given_scales_multiply_the_results_and_change_no_other_draw() -> None:
    is_active = np.ones((60, 2), dtype=np.bool_)
    request = (law_of("real"), ("A", "B"), sessions_through(LAST_SESSION, 60), is_active, 3)

    small = draw_results(*request, scale_usd=(1000, 1000))
    large = draw_results(*request, scale_usd=(3000, 1000))

    # Both are rounded to the cent: three times half a cent and half a cent.
    assert large.net_pnl_usd[:, 0] == pytest.approx(3 * small.net_pnl_usd[:, 0], abs=0.0201)
    assert large.sigma_usd[:, 0] == pytest.approx(3 * small.sigma_usd[:, 0])
    assert np.array_equal(large.net_pnl_usd[:, 1], small.net_pnl_usd[:, 1])
    assert np.array_equal(large.trade_count, small.trade_count)


def test_desk_leaves_two_high_and_two_moderate_traders_on_its_last_session() -> None:
    truth = draw_desk()
    cuts = {}
    for column, account in enumerate(truth.account_ids):
        if account not in STATED_DAYS:
            continue
        results = truth.net_pnl_usd[truth.is_active[:, column], column]
        # Exponential weights written out: lambda 0.97, the first result carrying all that came before it.
        age = np.arange(len(results))[::-1]
        weights = np.where(age == age[0], 0.97**age, 0.03 * 0.97**age)
        scale_usd = float(np.sqrt(weights @ results**2))
        history = rules.PnlHistory(results, scale_usd, truth.session_dates[-1])
        cuts[account] = rules.rules_cut_ratio(history, rules.RuleSet(account_policy(default_policy())))

    assert len(cuts) == 12
    assert {account: float(cut) for account, cut in cuts.items() if cut} == {
        "NET015": 0.5, "NET005": 0.4, "NET002": 0.3, "NET009": 0.2
    }  # fmt: skip


def test_default_limit_fits_nine_traders_who_never_reached_it(fills: dict[str, list[dict[str, str]]]) -> None:
    losses_usd = _largest_losses_usd(fills)
    terms = account_policy(default_policy())

    fits = review_limits(
        [
            LossRecord(account, terms, np.array(losses), np.zeros(len(losses), dtype=np.bool_))
            for account, losses in losses_usd.items()
        ]
    )

    assert {fit.account_id: fit.verdict for fit in fits if fit.verdict != "fits"} == {
        "NET002": "limited history", "NET009": "too large", "NET026": "too large"
    }  # fmt: skip
    assert len(fits) == 12
    assert {fit.account_id: fit.hit_count for fit in fits if fit.hit_count} == {"NET002": 4, "NET009": 17, "NET026": 19}


def _largest_losses_usd(fills: dict[str, list[dict[str, str]]]) -> dict[str, list[float]]:
    """Follow cash and open positions, at the last own price of each symbol, through each session of the twelve."""
    fees = ("Comm", "Ecn Fee", "SEC", "TAF", "Clr")
    largest: dict[str, list[float]] = {account: [] for account in STATED_DAYS}
    for session in sorted(fills):
        cash, lowest = Counter[str](), dict[str, float]()
        held, last = Counter[tuple[str, str]](), dict[tuple[str, str], float]()
        value = Counter[str]()
        for fill in fills[session]:
            account, price = fill["Account"], float(fill["Price"])
            key, quantity = (account, fill["Symbol"]), int(fill["Qty"]) * (1 if fill["B/S"] in "BC" else -1)
            value[account] += (held[key] + quantity) * price - held[key] * last.get(key, 0.0)  # type: ignore[assignment]
            held[key] += quantity
            last[key] = price
            cash[account] -= quantity * price + sum(float(fill[fee]) for fee in fees)  # type: ignore[assignment]
            lowest[account] = min(lowest.get(account, 0.0), cash[account] + value[account])
        for account in largest.keys() & lowest.keys():
            largest[account].append(-lowest[account])
    return largest
