-- The facts a run reported, as canonical JSON; its SHA-256 identifies the report.
-- Grain: one row per run. Reads: -. Writes: reports. Binds: -. Money: inside the facts, exact decimal strings.
-- Rerun: applied once; kept: a second send_report of the same run must build the same bytes.
create table reports (
    run_id bigint primary key references runs (run_id),
    facts text not null,
    facts_sha256 text not null,
    recorded_at timestamptz not null default clock_timestamp()
);
