create table risk.reports (
    run_id bigint primary key references risk.runs (run_id),
    facts text not null,
    facts_sha256 text not null,
    salt text check (salt ~ '^[0-9a-f]{64}$'),
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.reports is
'Facts that a run reported, as canonical JSON. Grain: one row per run. Append only: a second send_report of the '
'run must build the same bytes.';
comment on column risk.reports.run_id is 'Run the row belongs to.';
comment on column risk.reports.facts is 'Canonical JSON; money as exact decimal strings.';
comment on column risk.reports.facts_sha256 is
'SHA-256 of the facts; the digest that mails state is in report_digests.';
comment on column risk.reports.salt is
'Secret of the report''s digest, drawn once: whoever has it can try out what the leaf of an account says. Null = '
'format 1.';
comment on column risk.reports.recorded_at is 'When the row was recorded (committed).';
