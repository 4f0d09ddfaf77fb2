"""How fast the Risk page answers: 23 traders over 625 sessions, and 2,000 traders.

Through the app as Airflow mounts it, without Airflow's own login; each answer opens its own connection.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import statistics
import time
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from psycopg2.extensions import parse_dsn

from risk.core import calendar, schema, warehouse
from risk.core.errors import RequestError
from risk.core.policy_store import read_policies
from risk.core.runs import read_run
from risk.core.warehouse import rows
from risk.limits.approvals import ApprovalPolicy, open_publication
from risk.limits.trials import seal_trial
from risk.report.facts import AccountFacts, Counts, DeskFacts, Facts, PolicyFacts, RosterEntry
from risk.report.receipt_facts import LimitUseFacts
from tests.operators.web_client import Member, Runs, page_routes
from tests.report_desks import within

ROUNDS = 40
"""Of fewer than 20 answers the 95th percentile would be a guess beyond the slowest one."""

_IS_SIMULATED = True
_LAST = dt.date(2025, 8, 15)
LIMITS = {23: 0.2, 2000: 1.0}
LARGEST_BYTES = 1_000_000
PAGES = {
    "/": "/",
    "/sessions": "/sessions",
    "/sessions/{session_date}": "/sessions/2025-08-15",
    "/sessions/{first}/compare/{second}": "/sessions/2025-08-14/compare/2025-08-15",
    "/traders": "/traders",
    "/traders/{place:path}": "/traders/NET0007",
    "/desk": "/desk",
    "/desk/{session_date}": "/desk/2025-08-15",
    "/calendar": "/calendar",
    "/breaches": "/breaches",
    "/breaches/{session_date}/{account_id}": "/breaches/2025-08-15/NET0007",
    "/decisions": "/decisions",
    "/changes": "/changes",
    "/limits": "/limits",
    "/track-record": "/track-record",
    "/track-record/{session_date}": "/track-record/2025-08-15",
    "/model": "/model",
    "/model/{model_id}": "/model/1",
    "/approvals/{publication_id}": "/approvals/1",
    "/policy": "/policy",
    "/policy/trials/{trial_number}": "/policy/trials/1",
    "/policy/versions/{version}": "/policy/versions/0",
}
"""An address of each page of the app."""
FURTHER = (
    "/traders?sort=-value_at_risk_usd&find=net",
    "/traders/NET0007/2025-08-15",
    "/calendar?sessions=250",
    "/?page-limits=2",
)
_SQL = {
    "daily_pnl": """
insert into derived.daily_pnl (account_id, session_date, fill_count, volume, turnover_usd, gross_pnl_usd, fees_usd,
    net_pnl_usd,
    unrealized_pnl_usd, unrealized_delta_usd, total_pnl_usd)
select 'NET' || lpad(a::text, 4, '0'), s.session_date, 100, 1000, 10000, r, 1, r - 1, 0, 0, r - 1
from generate_series(1, %(accounts)s) as a
cross join (select session_date, row_number() over (order by session_date) from risk.sessions
    where session_date <= '2025-08-15' order by session_date desc limit %(days)s) as s
cross join lateral (select round((1000 * sin(a + s.session_date - date '2000-01-01'))::numeric, 2)) as x (r)
""",
    "runs": """
with load as (insert into risk.loads (source, is_simulated, through_session_date) values ('bench', true, '2025-08-15')
    returning load_id)
insert into risk.runs (session_date, effective_session, revision, as_of, load_id, dag_run_id, code_version)
select s.session_date, n.session_date, 1, clock_timestamp() + interval '1 day', load.load_id, 'bench', 'bench'
from load cross join risk.sessions as s inner join risk.sessions as n on n.session_number = s.session_number + 1
where s.session_date <= '2025-08-15' order by s.session_date desc limit %(days)s
""",
    "recommendations": """
insert into results.recommendations select r.run_id, 'NET' || lpad(a::text, 4, '0'), 'active', 'high', 0.40, 5000,
    3000,
    'rules', 'rules-1', 'not yet proven', array['5 straight losing days'], 0.40, 0.20, -1500, 60, r.session_date
from risk.runs as r cross join generate_series(1, %(accounts)s) as a
""",
    "forecasts": """
insert into derived.forecasts select p.account_id, p.session_date, 'calibrated', (select min(run_id) from risk.runs),
    -800, true
from derived.daily_pnl as p
""",
    "features": """
insert into derived.features (account_id, session_date, feature_set_version, last_z, mean_z_5, mean_z_20, drawdown)
select account_id, session_date, 'bench', random(), random(), random(), random()
from derived.daily_pnl
""",
    "running_lows": """
insert into derived.running_lows
select p.account_id, p.session_date, array[500, 900, 1600], array_fill(s.closes_at, array[3]), 1700, p.total_pnl_usd,
    s.opens_at, s.closes_at
from derived.daily_pnl as p inner join risk.sessions as s using (session_date)
""",
    "limit_receipts": """
insert into derived.limit_receipts (account_id, session_date, inputs_sha256, policy_version, limit_usd, limit_source,
    limit_count, largest_loss_usd, loss_from_top_usd, use_ratio, final_usd, outcome, breach_reasons)
select account_id, session_date, '0', '0', 5000, 'default', 1, 1600, 1700, 0.32, close_usd, 'within', '{}'
from derived.running_lows
""",
    "deliveries": """
insert into risk.deliveries (load_id, file_name, account_id, session_date, content_sha256, recorded_at, row_count,
    loaded_count, rejected_count, duplicate_count)
select (select max(load_id) from risk.loads), 'bench.csv', account_id, session_date, '0', clock_timestamp(), 70, 70, 0,
    0
from derived.daily_pnl
where session_date > date '2025-08-15' - 28
""",
    "fills": """
insert into risk.fills (delivery_id, line_number, account_id, session_date, executed_at, is_time_unknown, tie_rank,
    side, quantity, symbol, price, currency, fees_usd)
select d.delivery_id, n, d.account_id, d.session_date, s.opens_at + n * interval '5 minutes', false, 0,
    case when n %% 2 = 0 then 'B' else 'S' end, 100, 'SYM' || n / 2 %% 10, 20 + n %% 7, 'USD', 0.35
from risk.deliveries as d inner join risk.sessions as s using (session_date) cross join generate_series(0, 69) as n
order by d.session_date
""",
    "positions": """
insert into derived.positions (account_id, session_date, symbol, currency, quantity, lots, multiplier, mark_price,
    mark_source, realized_pnl_usd, unrealized_pnl_usd, realized_pnl, unrealized_pnl, rate)
select account_id, session_date, 'SYM' || n, 'USD', case when n < 5 then 100 else 0 end, '[]', 1, 22, 'marks', 5, 0, 5,
    0, 1
from risk.deliveries cross join generate_series(0, 9) as n
""",
    "last_fills": """
insert into derived.last_fills (session_date, symbol, currency, instant, tie_rank, price, first_instant, first_price)
select session_date, 'SYM' || n, 'USD', extract(epoch from closes_at) * 1000000, 0, 20 + random(),
    extract(epoch from opens_at) * 1000000, 20 + random()
from risk.sessions cross join generate_series(0, 9) as n
where session_date <= '2025-08-15'
""",
    "cut_outcomes": """
insert into derived.cut_outcomes select p.account_id, p.session_date, r.run_id, clock_timestamp(), false, 5000, 0.40,
    3000,
    array[500, 900, 1600, 2500, 3100, 4200, 5100], p.total_pnl_usd, p.total_pnl_usd, p.total_pnl_usd + 5 - random() * 9
from derived.daily_pnl as p inner join risk.runs as r on r.effective_session = p.session_date
""",
    "cut_track_records": """
insert into results.cut_track_records select run_id, 1, 0, 1, 1, 0.4, 1, -1, null, null, 1, -1, null, null, 0, 1, 0.5,
    'no evidence', array['No evidence of benefit.'] from risk.runs
""",
    "model_versions": """
insert into risk.model_versions (content_sha256, artefact, first_session_date, last_session_date, pair_count, card,
    dag_run_id)
values ('0', '{}', '2025-01-02', '2025-08-15', 1000, %(card)s, 'bench')
""",
    "gate_results": """
insert into results.gate_results (run_id, serving, is_pass, session_count, forecast_count, improvement, p_value,
    exceedance_rate,
    reasons, drifts)
select run_id, 'rules', false, 60, 700, 0.05 + random() / 10, 0.2, 0.05, array['5.0 percent below'], array[]::text[]
from risk.runs
""",
    "report_deliveries": """
insert into risk.report_deliveries (run_id, recipient, message_id, attempt_count, sent_at)
select run_id, 'desk@example.com', '<' || run_id || '@bench>', 1, (session_date + 1)::timestamptz from risk.runs
""",
    "accounts": """
insert into risk.accounts (load_id, file_name, line_number, valid_from, account_id, recorded_at)
select max(load_id), 'accounts.csv', a + 1, '2020-01-02', 'NET' || lpad(a::text, 4, '0'), '2020-01-02'
from risk.loads cross join generate_series(1, %(accounts)s) as a
group by a
""",
    "limit_fits": """
insert into results.limit_fits
select max(run_id), 'NET' || lpad(a::text, 4, '0'), 5000, 250, 0, 0.1, 0.4, 0.9, 12, 0.01, 0.08, 900, 1200, 0.06, 3000,
    8000, false, 'fits', 'fits', '6%% chance of losing more than $5,000 in the next session, at the close', null
from risk.runs cross join generate_series(1, %(accounts)s) as a
group by a
""",
    "limit_changes": """
with requested as (
    insert into risk.limit_changes (account_id, kind, limit_usd, starts_at, reason, requested_by, requester_name,
        needs_second_person)
    select 'NET' || lpad(a::text, 4, '0'), 'base', 5000, '2020-01-02', 'agreed', 'ann', 'Ann', false
    from generate_series(1, %(accounts)s, 2) as a
    returning change_id
)
insert into risk.limit_change_decisions (change_id, action, seen_sha256, user_id, user_name)
select change_id, 'approved', repeat('0', 64), 'bob', 'Bob' from requested where change_id %% 4 > 0
""",
    "limit_breaches": """
insert into risk.limit_breaches (run_id, account_id, session_date, is_breach, limit_usd, largest_loss_usd, final_usd,
    breach_reasons)
select r.run_id, p.account_id, p.session_date, true, 5000, 6000, -5500, array['traded on']
from derived.daily_pnl as p inner join risk.runs as r on r.session_date = p.session_date
where p.account_id = 'NET0007' or p.session_date = '2025-08-15' and p.account_id like '%%5'
""",
    "quality_results": """
insert into results.quality_results (run_id, check_name, subject, severity, has_passed, observed, message)
select max(run_id), 'fees', 'NET' || lpad(a::text, 4, '0'), 'warn', false, '4.2', 'fees look odd'
from risk.runs cross join generate_series(1, %(accounts)s) as a
group by a
""",
    "analyze": "analyze",
}


def _facts(account_count: int) -> Facts:
    dice = random.Random(1)
    accounts = tuple(
        AccountFacts(
            account_id=f"NET{number:04d}", status="active", level="high", cut_ratio=Decimal("0.40"),
            base_limit_usd=Decimal(5000), new_limit_usd=Decimal(3000), reasons=("5 straight losing days",),
            source="rules", source_version="rules-1", source_reason="not yet proven", rules_cut_ratio=Decimal("0.40"),
            model_cut_ratio=None, forecast_quantile_05_usd=Decimal("-1500.25"), delivery_state="delivered",
            net_pnl_usd=Decimal("-812.30"), total_pnl_usd=Decimal("-1033.20"), incomplete_reason=None,
            active_session_count=60, latest_session_date=_LAST, limit_in_force_usd=Decimal(5000),
            limit_source="default", limit_since=None, limit_change_usd=Decimal(-2000),
            limit_change_ratio=Decimal("-0.4"),
            recent_results_usd=tuple(Decimal(round(dice.gauss(0, 900), 2)) for _ in range(60)),
        )
        for number in range(1, account_count + 1)
    )  # fmt: skip
    desk = DeskFacts(account_count, 0, 1000, Decimal(1), Decimal(1), Decimal(1), Decimal(1))
    counts = Counts(account_count, 0, 0, account_count)
    names = [account.account_id for account in accounts]
    return Facts(
        _LAST,
        calendar.next_session(_LAST),
        PolicyFacts("0", "1.25x", "1.67x"),
        _IS_SIMULATED,
        counts,
        desk,
        accounts,
        (),
        tuple(RosterEntry(name, 60, _LAST, "active") for name in names),
        limit_use=LimitUseFacts(tuple(within(name, "0.31") for name in names)),
    )


def _card(account_count: int, day_count: int) -> str:
    weeks = day_count // 5
    score = {
        "gain_vs_historical": 0.1, "gain_interval": [0.05, 0.15], "breach": 0.05, "kupiec_p": 0.5,
        "christoffersen_p": 0.5,
    }  # fmt: skip
    days = [day.isoformat() for day in calendar.sessions_between(dt.date(2022, 1, 3), _LAST)[-weeks:]]
    coverage = [
        {
            "account_id": f"NET{number:04d}",
            "forecast_count": 600,
            "breach_count": 30,
            "p_value": 0.9,
            "is_rejected": False,
        }
        for number in range(account_count)
    ]
    checks = {
        "forecast_count": 10,
        "levels": [[0.01, 0.02], [0.05, 0.05]], "joint_p": 0.5, "zone": "green", "shortfall_statistic": 0.1,
        "shortfall_p": 0.4,
    }  # fmt: skip
    return json.dumps({
        "account_count": account_count, "session_count": day_count, "versions": {}, "calibration": 0.1,
        "record": {"models": dict.fromkeys("abcdefghi", score)},
        "coverage": coverage, "checks": checks, "inputs": [],
        "course": {"session_dates": days, "weights": dict.fromkeys("abcde", [0.2] * weeks)},
    })  # fmt: skip


def _fill(connection: warehouse.Connection, account_count: int, day_count: int) -> None:
    facts, card = _facts(account_count), _card(account_count, day_count)
    size = {"accounts": account_count, "days": day_count}
    with warehouse.writing(connection), connection.cursor() as cursor:
        calendar.store_sessions(connection)
        for command in _SQL.values():
            cursor.execute(command, {**size, "card": card})
        cursor.execute(
            "insert into risk.reports select run_id, %s, %s from risk.runs",
            (facts.canonical if account_count < 100 else "{}", "0"),
        )
        cursor.execute(
            "update risk.reports set facts = %s, facts_sha256 = %s "
            "where run_id in (select run_id from risk.runs order by session_date desc limit 2)",
            (facts.canonical, facts.sha256),
        )

    run = read_run(connection, rows(connection, "risk_page/select_report", {"session_date": None})[0][0])
    open_publication(
        connection, run, ApprovalPolicy("all", has_dual_control=False), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    )
    terms = read_policies(connection)[0].document
    seal_trial(connection, terms, _LAST, calendar.next_session(_LAST), "ann")


def _client(dsn: str) -> Any:
    place = {name: quote(str(value), safe="") for name, value in parse_dsn(dsn).items()}
    os.environ["AIRFLOW_CONN_RISK_WAREHOUSE"] = (
        f"postgres://{place['user']}:{place.get('password', '')}@{place['host']}:{place['port']}/{place['dbname']}"
    )
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi.testclient import TestClient

    from risk.operators.plugin import page, pages
    from risk.web.access import DECIDER, READER, TRIGGERER, may_decide, may_trigger
    from risk.web.trial_runs import trial_runs

    pages().dependency_overrides = {
        **dict.fromkeys((guard.dependency for guard in (READER, DECIDER, TRIGGERER)), lambda: None),
        **dict.fromkeys((may_decide, may_trigger), lambda: True),
        get_user: lambda: Member("ann", "Ann"),
        trial_runs: Runs,
    }
    return TestClient(page)


def _time(client: Any, path: str, account_count: int, day_count: int) -> float:
    """Time a page and print it beside its bounds."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        answer = client.get(path)
        seconds.append(time.perf_counter() - started)
        answer.raise_for_status()
    slow = statistics.quantiles(seconds, n=20)[-1]
    limit, size = LIMITS[account_count], len(answer.content)
    took = f"{slow:.3f} s, ratio to {limit} s: {slow / limit:.2f}; {size / 1e6:.2f} MB"
    beyond = " TOO SLOW" * (slow > limit) + " TOO LARGE" * (size > LARGEST_BYTES)
    print(f"{account_count} traders x {day_count}: {path} {took}{beyond}", flush=True)
    return round(slow, 3)


def measure(dsn: str) -> dict[str, Any]:
    """Time every page for both desks; seconds, 95th percentile of 40 answers."""
    measured: dict[str, Any] = {}
    client = _client(dsn)
    if missing := page_routes() ^ PAGES.keys():
        raise RequestError(f"Give each page of the app an address in PAGES: {', '.join(sorted(missing))}.")
    connection = warehouse.connect(dsn)
    schema.migrate(connection)
    for account_count, day_count in ((23, 625), (2000, 60)):
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "truncate risk.sessions, risk.loads, risk.fills, derived.features, derived.positions, "
                "derived.last_fills, risk.limit_changes restart identity cascade"
            )
        _fill(connection, account_count, day_count)
        for path in (*PAGES.values(), *FURTHER):
            measured[f"{account_count} {path}"] = _time(client, path, account_count, day_count)
    connection.close()
    return measured
