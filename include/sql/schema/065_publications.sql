-- One request to publish the limits of a run, opened by the DAG publish_limits.
-- Grain: one row per run. Reads: -. Writes: publications. Binds: -. Money: -. Rerun: applied once. Append only.
-- asked_for: high = traders of level high are asked for, all = every trader with a cut; the others are published as
-- recommended. decision_deadline: from then on the recommended cut applies. is_live: limits of a session that has not
-- ended when the request was opened; only these reach the trading platform.
create table publications (
    publication_id bigint generated always as identity primary key,
    run_id bigint not null unique references runs (run_id),
    effective_session date not null references sessions (session_date),
    asked_for text not null check (asked_for in ('high', 'all')),
    has_dual_control boolean not null,
    decision_deadline timestamptz not null,
    is_live boolean not null,
    dag_run_id text not null,
    recorded_at timestamptz not null default clock_timestamp()
);
