create table risk.reports (
    run_id bigint primary key references risk.runs (run_id),
    facts text not null,
    facts_sha256 text not null,
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.reports is
'Facts that a run reported, as canonical JSON. Grain: one row per run. Append only: a second send_report of the '
'run must build the same bytes.';
comment on column risk.reports.run_id is 'Run the row belongs to.';
comment on column risk.reports.facts is 'Canonical JSON; money as exact decimal strings.';
comment on column risk.reports.facts_sha256 is 'SHA-256 of the facts: the identity of the report.';
comment on column risk.reports.recorded_at is 'When the row was recorded (committed).';
