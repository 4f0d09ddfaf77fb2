create table risk.publications (
    publication_id bigint generated always as identity primary key,
    run_id bigint not null unique references risk.runs (run_id),
    effective_session date not null references risk.sessions (session_date),
    approval_scope text not null check (approval_scope in ('high', 'all')),
    has_dual_control boolean not null,
    decision_deadline timestamptz not null,
    is_live boolean not null,
    dag_run_id text not null,
    stand_in_names text,
    stand_in_from timestamptz,
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.publications is
'Requests to publish the limits of a run, opened by the DAG publish_limits. Grain: one row per run. Append '
'only.';
comment on column risk.publications.publication_id is 'Key of the publication.';
comment on column risk.publications.run_id is 'Run the row belongs to.';
comment on column risk.publications.effective_session is 'Session the limits are for.';
comment on column risk.publications.approval_scope is
'Which limits need approval: high = traders of level high, all = every trader with a cut; the others are published '
'as recommended.';
comment on column risk.publications.has_dual_control is 'Whether a second person must approve an edited limit.';
comment on column risk.publications.decision_deadline is 'From then on the recommended limit applies.';
comment on column risk.publications.is_live is
'Whether the session had not ended when the request was opened; only live limits reach the trading platform.';
comment on column risk.publications.dag_run_id is 'Airflow''s run.';
comment on column risk.publications.stand_in_names is
'Logins, separated by a comma and a blank, that may decide from then on only; null = nobody stands in.';
comment on column risk.publications.stand_in_from is
'From then on the stand-in may decide, and is reminded of what waits for an answer; null = nobody stands in.';
comment on column risk.publications.recorded_at is 'When the row was recorded (committed).';
