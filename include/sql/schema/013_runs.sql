-- One answer to "what do we know about this session": opened by extract_fills after its deliveries are committed.
-- Grain: one row per session and revision. Reads: -. Writes: runs. Binds: -. Money: -. Rerun: applied once.
create table runs (
    run_id bigint generated always as identity primary key,
    session_date date not null references sessions (session_date),
    effective_session date not null references sessions (session_date),
    revision integer not null,
    as_of timestamptz not null,
    load_id bigint not null references loads (load_id),
    dag_run_id text not null,
    code_version text not null,
    unique (session_date, revision)
);
