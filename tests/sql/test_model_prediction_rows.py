"""From a stored model to the mail: it forecasts, is explained and judged, and whatever is wrong with it is a reason."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from psycopg2.extensions import make_dsn

from risk.core import warehouse
from risk.core.calendar import next_session
from risk.core.errors import LeakError
from risk.core.runs import Run
from risk.core.settings import read_settings
from risk.limits.decide import apply_rules, predict
from risk.model import artefact
from risk.model import train as training
from risk.model.build_features import build_features, store_features
from risk.model.experts import prior as prior_module
from risk.model.experts.prior import PRIOR, read_prior
from risk.model.features import LEARNED_NAMES
from risk.model.fitted import Model
from risk.model.leakage import Leak
from risk.model.panel import feature_panel, read_panel
from risk.model.predict import STORED_EXPERTS, Prediction
from risk.model.train import TrainingResult, last_training_session, train
from risk.model.walk_forward import MODEL, walk_forward
from risk.report.digest import card_page
from risk.report.page import Links
from risk.report.send import send_report
from tests.databases import create_database, drop_database
from tests.policies import CUT_FUNCTIONS
from tests.sql.daily_rows import insert_pnl, new_run, table, trading_days

TRADERS = ("A", "B", "C", "D", "E", "F")
DAYS = trading_days(112)
"""To Friday 2025-06-13: the model of the week has seen sessions up to Friday 2025-06-06."""

LAST = DAYS[-1]


def _fill_books(connection: warehouse.Connection) -> None:
    generator = np.random.default_rng(4)
    for name in TRADERS:
        sizes = 500.0 * np.exp(0.6 * np.sin(np.arange(len(DAYS)) / 9.0 + generator.random()))
        results = np.round(generator.standard_t(5, len(DAYS)) * sizes, 2)
        insert_pnl(connection, name, dict(zip(DAYS, results.tolist(), strict=True)))


@pytest.fixture(scope="module")
def trained_database(server_dsn: str, template_database: str) -> Iterator[tuple[str, TrainingResult]]:
    """Give a database with books, a model of the week and its record."""
    name = f"trained_{random.randrange(10**9)}"
    create_database(server_dsn, name, template_database)
    connection = warehouse.connect(make_dsn(server_dsn, dbname=name))
    _fill_books(connection)
    trained = train(connection, last_training_session(LAST), "test", CUT_FUNCTIONS)
    connection.close()
    yield name, trained
    drop_database(server_dsn, name)


@pytest.fixture
def desk(server_dsn: str, trained_database: tuple[str, TrainingResult]) -> Iterator[warehouse.Connection]:
    """Give a copy of that database."""
    name = f"copy_{random.randrange(10**9)}"
    create_database(server_dsn, name, trained_database[0])
    connection = warehouse.connect(make_dsn(server_dsn, dbname=name))
    yield connection
    connection.close()
    drop_database(server_dsn, name)


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the folder in which reports of a test land."""
    monkeypatch.setenv("RISK_REPORTS_DIR", str(tmp_path / "reports"))
    return tmp_path / "reports" / "desk"


def _predict(connection: warehouse.Connection, run: Run) -> Prediction:
    """Build the features and forecast, as the tasks do one after the other."""
    store_features(connection, run)
    return predict(connection, run)


@pytest.fixture
def _self_check_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "sampled_rows", lambda _: [])


def _sql(connection: warehouse.Connection, command: str, *binds: object) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(command, binds)


def _gate(connection: warehouse.Connection, run: Run) -> dict[str, object]:
    columns = (
        "run_id",
        "model_id",
        "serving",
        "session_count",
        "improvement",
        "exceedance_rate",
        "reasons",
        "drifts",
    )
    [found] = [row for row in table(connection, "gate_results", columns) if row[0] == run.run_id]
    return dict(zip(columns, found, strict=True))


def _mailed(connection: warehouse.Connection, run: Run, reports: Path) -> str:
    """Decide, report, and return the mail's text with its JSON, in which nothing is not a number."""
    apply_rules(connection, run)
    send_report(connection, run, None, Links(run_url="/test"), read_settings())
    folder = reports / run.session_date.isoformat()
    text = (folder / "report.txt").read_text(encoding="utf-8")
    everything = text + (folder / "report.json").read_text() + (folder / "limits.csv").read_text()
    words = everything.replace('"', " ").replace(",", " ").replace(":", " ").lower().split()
    assert not {"nan", "inf", "-inf", "infinity"} & set(words)
    return " ".join(text.split())


@pytest.mark.usefixtures("_self_check_elsewhere")
def test_training_stores_a_model_and_forecasts_of_the_past_once(
    desk: warehouse.Connection, trained_database: tuple[str, TrainingResult]
) -> None:
    # given
    trained = trained_database[1]
    assert trained.reason == ""
    assert trained.last_session_date == dt.date(2025, 6, 6)
    assert trained.forecast_count > 1000

    # when the same week is trained again
    again = train(desk, trained.last_session_date, "again", CUT_FUNCTIONS)

    # then
    assert again.content_sha256 == trained.content_sha256
    assert again.forecast_count == 0
    assert len(table(desk, "model_versions", ("model_id",))) == 1
    experts = {row[0] for row in table(desk, "forecasts", ("expert",))}
    assert experts == {"log_scale_ridge", "boosted", "garch", "mixture", MODEL}
    # none knows what came after the session before the one it is for, and none was issued by a run
    assert all(row[1] is None for row in table(desk, "forecasts", ("effective_session", "run_id")))


def test_a_morning_with_the_model_forecasts_what_the_walk_forward_would(desk: warehouse.Connection) -> None:
    # when two sessions are run
    for day in DAYS[-2:]:
        predicted = _predict(desk, new_run(desk, day))

    # then
    panel = read_panel(desk, LAST)
    history = feature_panel(panel, build_features(panel, next_session(LAST)), LEARNED_NAMES)
    walked = walk_forward(history, prior=read_prior(LEARNED_NAMES).prior)
    stored = {
        (row[0], row[1]): float(row[2])
        for row in table(desk, "forecasts", ("expert", "account_id", "quantile_05_usd", "effective_session"))
        if row[3] == next_session(LAST)
    }
    assert {expert for expert, _ in stored} == set(STORED_EXPERTS)
    for number, account_id in enumerate(TRADERS):
        assert stored["boosted", account_id] == walked.expert("boosted")[-1, number]
        assert stored["mixture", account_id] == pytest.approx(walked.mixture[-1, number], rel=1e-12)
        assert stored[MODEL, account_id] == pytest.approx(walked.calibrated[-1, number], rel=1e-12)
    assert predicted.explained_count == len(TRADERS)
    for contributions, log_loss, sentences in table(desk, "explanations", ("contributions", "log_loss", "sentences")):
        assert sum(contributions.values()) == pytest.approx(log_loss, abs=1e-6)
        assert len(sentences) <= 3


def test_a_warehouse_without_forecasts_of_the_prior_goes_on_as_if_they_had_been_made(
    desk: warehouse.Connection,
) -> None:
    # given a morning by today's code, and the same desk where the code before the sixth expert ran the one before it
    _predict(desk, new_run(desk, DAYS[-2]))
    _sql(desk, "delete from forecasts where expert = %s", PRIOR)

    # when
    predicted = _predict(desk, new_run(desk, LAST))

    # then it forecasts from the features of every earlier session, as it would have, and is mixed
    panel = read_panel(desk, LAST)
    history = feature_panel(panel, build_features(panel, next_session(LAST)), LEARNED_NAMES)
    walked = walk_forward(history, prior=read_prior(LEARNED_NAMES).prior)
    issued = {
        (row[0], row[1]): float(row[2])
        for row in table(desk, "forecasts", ("account_id", "effective_session", "quantile_05_usd", "expert"))
        if row[3] == PRIOR
    }
    effective = (*panel.session_dates[1:], next_session(LAST))
    expected = {
        (panel.account_ids[account], effective[row]): walked.expert(PRIOR)[row, account]
        for row, account in np.argwhere(np.isfinite(walked.expert(PRIOR))).tolist()
    }
    assert issued == expected
    assert predicted.explained_count == len(TRADERS)
    contributions = table(desk, "explanations", ("contributions",))[0][0]
    assert contributions["from simulated desks"] != 0.0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("7", "8", 1), "was changed: its content is not that of its SHA-256"),
        (lambda text: text[:1000], "is damaged (JSONDecodeError)"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_prior_that_cannot_be_used_is_left_out_and_the_reason_is_stored(
    desk: warehouse.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[str], str] | None,
    reason: str,
) -> None:
    # given
    file = tmp_path / "prior.json"
    if change:
        file.write_text(change(prior_module.PRIOR_FILE.read_text()))
    monkeypatch.setattr(prior_module, "PRIOR_FILE", file)
    run = new_run(desk, LAST)

    # when
    predicted = _predict(desk, run)

    # then the model forecasts by the five others, and the reason stands beside the gate's
    assert predicted.model_id is not None
    assert predicted.explained_count == len(TRADERS)
    assert PRIOR not in {row[0] for row in table(desk, "forecasts", ("expert",))}
    assert any(reason in sentence for sentence in _gate(desk, run)["reasons"])  # type: ignore[attr-defined]


def test_running_a_session_again_stores_nothing_new(desk: warehouse.Connection) -> None:
    _predict(desk, new_run(desk, LAST))
    before = table(desk, "forecasts", ("account_id", "effective_session", "expert", "quantile_05_usd", "run_id"))
    assert _predict(desk, new_run(desk, LAST)).forecast_count == 0
    assert (
        table(desk, "forecasts", ("account_id", "effective_session", "expert", "quantile_05_usd", "run_id")) == before
    )


@pytest.mark.usefixtures("_self_check_elsewhere")
def test_a_changed_byte_leaves_rules_serving_and_the_mail_says_why(desk: warehouse.Connection, reports: Path) -> None:
    # given one byte of the artefact is another
    _sql(desk, "update model_versions set artefact = overlay(artefact placing '7' from 200 for 1)")
    run = new_run(desk, LAST)

    # when
    predicted = _predict(desk, run)
    text = _mailed(desk, run, reports)

    # then
    assert (predicted.model_id, predicted.serving, predicted.explained_count) == (None, "rules", 0)
    assert "The stored model was changed: its SHA-256 is" in text
    assert {row[0] for row in table(desk, "recommendations", ("source",))} == {"rules"}

    # and when the same week is trained again, which gives the same hash, that model forecasts
    trained = train(desk, last_training_session(LAST), "again", CUT_FUNCTIONS)
    assert _predict(desk, run).model_id is None  # what that run knew is the damaged one
    assert _predict(desk, new_run(desk, LAST)).model_id == max(table(desk, "model_versions", ("model_id",)))[0]
    assert {row[0] for row in table(desk, "model_versions", ("content_sha256",))} == {trained.content_sha256}


def test_without_a_model_rules_serve_and_the_mail_says_why(desk: warehouse.Connection, reports: Path) -> None:
    _sql(desk, "truncate model_versions, forecasts, gate_results cascade")
    run = new_run(desk, LAST)
    _predict(desk, run)
    text = _mailed(desk, run, reports)
    assert f"No model was trained before {LAST}." in text, text


def test_a_model_serves_for_ten_sessions_and_not_for_eleven(desk: warehouse.Connection, reports: Path) -> None:
    # given the model has seen sessions up to 2025-06-06: the tenth after it is 2025-06-23 (Juneteenth is none)
    tenth, eleventh = (new_run(desk, dt.date(2025, 6, day)) for day in (23, 24))

    # when, then
    assert _predict(desk, tenth).model_id is not None
    assert _predict(desk, eleventh).model_id is None
    assert "has seen sessions up to 2025-06-06, 11 sessions ago." in _mailed(desk, eleventh, reports)


def _with_another_input(model: Model) -> Model:
    return dataclasses.replace(model, feature_names=("moon_phase", *model.feature_names[1:]))


def _of_another_library(model: Model) -> Model:
    return dataclasses.replace(model, versions=(("python", "3.9"), *model.versions[1:]))


def _without_end(model: Model) -> Model:
    return dataclasses.replace(model, ridge=dataclasses.replace(model.ridge, intercept=1e6))


@pytest.mark.filterwarnings("ignore:overflow encountered in exp")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_with_another_input, "they differ in last_z, moon_phase"),
        (_of_another_library, "fitted with other libraries: python 3.9"),
        (_without_end, "forecast is no loss for 6 of 6 accounts"),
    ],
)
def test_a_model_that_does_not_fit_leaves_rules_serving_and_the_mail_says_why(
    desk: warehouse.Connection, reports: Path, change: Callable[[Model], Model], reason: str
) -> None:
    # given a model whose bytes are those of its hash, but are not what today needs
    [[text, sha256]] = table(desk, "model_versions", ("artefact", "content_sha256"))
    changed = artefact.to_json(change(artefact.load(text, sha256, LEARNED_NAMES)))
    _sql(
        desk, "update model_versions set artefact = %s, content_sha256 = %s", changed, artefact.content_sha256(changed)
    )
    run = new_run(desk, LAST)

    # when
    _predict(desk, run)
    text = _mailed(desk, run, reports)

    # then
    assert reason in text


def test_the_gate_follows_the_stored_forecasts_and_a_promoted_model_decides(
    desk: warehouse.Connection, reports: Path
) -> None:
    # given stored forecasts that were right: just below each result, and above every other tenth session
    _sql(
        desk,
        """
        update forecasts set is_live = true, quantile_05_usd = least(daily_pnl.total_pnl_usd, -30) * case
            when sessions.session_number %% 10 = 0 then 0.9 else 1.1 end
        from daily_pnl inner join sessions on daily_pnl.session_date = sessions.session_date
        where forecasts.expert = 'model' and forecasts.account_id = daily_pnl.account_id
            and forecasts.effective_session = daily_pnl.session_date
        """,
    )
    run = new_run(desk, LAST)

    # when
    assert _predict(desk, run).serving == "model"
    text = _mailed(desk, run, reports)

    # then
    gate = _gate(desk, run)
    assert gate["session_count"] == 60
    assert float(str(gate["improvement"])) > 0.10
    assert "The model has beaten the rules: the bet on it stands at" in text
    assert {row[0] for row in table(desk, "recommendations", ("source",))} == {"model"}

    # and bets that were placed stay: what was forecast and what came of it is restated behind them
    bets = table(desk, "gate_bets", ("session_date", "candidate", "gain", "log_wealth"))
    _sql(desk, "update forecasts set quantile_05_usd = -1 where expert = 'model'")
    second = new_run(desk, LAST)
    assert _predict(desk, second).serving == "model"
    assert table(desk, "gate_bets", ("session_date", "candidate", "gain", "log_wealth")) == bets


def test_filtered_simulation_decides_where_it_is_proven_and_no_model_is_stored(
    desk: warehouse.Connection, reports: Path
) -> None:
    # given live filtered forecasts that were right, and a model whose bytes were changed
    _sql(desk, "update model_versions set artefact = artefact || ' '")
    _predict(desk, new_run(desk, LAST))
    _sql(
        desk,
        """
        update forecasts set is_live = true, quantile_05_usd = least(daily_pnl.total_pnl_usd, -30) * case
            when sessions.session_number %% 10 = 0 then 0.9 else 1.1 end
        from daily_pnl inner join sessions on daily_pnl.session_date = sessions.session_date
        where forecasts.expert = 'calibrated' and forecasts.account_id = daily_pnl.account_id
            and forecasts.effective_session = daily_pnl.session_date
        """,
    )
    run = new_run(desk, LAST)

    # when
    assert _predict(desk, run).serving == "filtered"
    text = _mailed(desk, run, reports)

    # then
    assert "traders restricted using Filtered historical simulation" in text
    assert "limits by filtered historical simulation" in text
    assert "The stored model was changed" in text
    assert {row[0] for row in table(desk, "recommendations", ("source",))} == {"filtered"}


def test_reconstructed_forecasts_promote_nothing(desk: warehouse.Connection) -> None:
    # given forecasts as right as can be, none of which was issued before its session opened
    _sql(
        desk,
        """
        update forecasts set quantile_05_usd = least(daily_pnl.total_pnl_usd, -30) * 1.1
        from daily_pnl
        where forecasts.expert = 'model' and forecasts.account_id = daily_pnl.account_id
            and forecasts.effective_session = daily_pnl.session_date
        """,
    )
    run = new_run(desk, LAST)

    assert _predict(desk, run).serving == "rules"

    gate = _gate(desk, run)
    assert float(str(gate["improvement"])) > 0.10
    assert gate["reasons"] == [
        "The model has no scored forecast that was issued before its session opened.",
        "Filtered historical simulation has no scored forecast that was issued before its session opened.",
    ]
    assert table(desk, "gate_bets", ("session_date",)) == []


ODD = {
    "ZEROS": dict.fromkeys(DAYS, 0),
    "CONSTANT": dict.fromkeys(DAYS, -250),
    "OUTLIER OF A BILLION": {**{day: 100 * (-1) ** day.day for day in DAYS}, DAYS[-3]: -1_000_000_000},
    "GAP OF MONTHS": {day: 50 * (-1) ** day.day for day in (*DAYS[:30], LAST)},
    "APPEARS TODAY": {LAST: -4_000},
    "UNDER 60 SESSIONS": {day: 70 * (-1) ** day.day for day in DAYS[-45:]},
}


def test_odd_traders_get_a_limit_and_no_number_that_is_none(desk: warehouse.Connection, reports: Path) -> None:
    # given
    for kind, results in ODD.items():
        insert_pnl(desk, kind, results)
    run = new_run(desk, LAST)

    # when
    predicted = _predict(desk, run)
    text = _mailed(desk, run, reports)

    # then the model forecasts for all it can, and everybody is in the mail
    assert predicted.model_id is not None
    assert all(kind in text for kind in ODD)
    assert all(np.isfinite(float(row[0])) for row in table(desk, "forecasts", ("quantile_05_usd",)))


@pytest.mark.parametrize("days", [DAYS[:1], DAYS[:40]], ids=["one session", "40 sessions"])
def test_one_trader_alone_is_not_learned_from_and_served_by_rules(
    connection: warehouse.Connection, reports: Path, days: list[dt.date]
) -> None:
    # given
    insert_pnl(connection, "A", {day: 100 * (-1) ** day.day for day in days})
    run = new_run(connection, days[-1])

    # when
    trained = train(connection, days[-1], "test", CUT_FUNCTIONS)
    _predict(connection, run)
    text = _mailed(connection, run, reports)

    # then
    assert trained.content_sha256 is None
    assert "A model needs 200 account-sessions" in trained.reason
    assert "No model was trained before" in text


def test_the_card_of_a_model_says_what_it_has_learned_and_how_it_did(
    desk: warehouse.Connection, trained_database: tuple[str, TrainingResult]
) -> None:
    page = card_page(desk, trained_database[1], read_settings())

    said = " ".join(page.sentences)
    assert (
        page.headline
        == f"Model {str(trained_database[1].content_sha256)[:12]} is trained and forecasts from the next session on."
    )
    assert "daily results, 6 accounts, 2025-01-" in said
    assert "Model forecast: pinball loss" in said
    assert "limits apply. " in said
    assert "Calibrated forecast: coverage and independence together p = " in said
    assert "nan" not in said


def test_a_leak_stops_the_training_and_stores_nothing(
    desk: warehouse.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    leak = Leak("last_z", DAYS[66], "deleted")
    monkeypatch.setattr(training, "self_check", lambda *_: [leak])
    _sql(desk, "truncate model_versions, forecasts, gate_results cascade")

    with pytest.raises(LeakError, match=r"last_z of .* changes when later sessions are deleted"):
        train(desk, last_training_session(LAST), "test", CUT_FUNCTIONS)

    assert table(desk, "model_versions", ("model_id",)) == table(desk, "forecasts", ("expert",)) == []
