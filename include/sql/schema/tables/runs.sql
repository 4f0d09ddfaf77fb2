create table risk.runs (
    run_id bigint generated always as identity primary key,
    session_date date not null references risk.sessions (session_date),
    effective_session date not null references risk.sessions (session_date),
    revision integer not null,
    as_of timestamptz not null,
    load_id bigint not null references risk.loads (load_id),
    dag_run_id text not null,
    code_version text not null,
    is_point_in_time boolean not null default false,
    tests_sha256 text,
    unique (session_date, revision)
);

comment on table risk.runs is
'Runs of the pipeline: each answers what is known about a session as of an instant. Grain: one row per session '
'and revision. Append only.';
comment on column risk.runs.run_id is 'Key of the run.';
comment on column risk.runs.session_date is 'Session whose fills are processed.';
comment on column risk.runs.effective_session is 'The next session: the one the limits are for.';
comment on column risk.runs.revision is '1 for the first run of the session, then 2, 3, ...';
comment on column risk.runs.as_of is 'The run knows inputs recorded until then.';
comment on column risk.runs.load_id is 'Load that preceded the run.';
comment on column risk.runs.dag_run_id is 'Airflow''s run.';
comment on column risk.runs.code_version is 'Content hash of the code that ran.';
comment on column risk.runs.tests_sha256 is
'SHA-256 over the files of the tests beside that code; null = they were not installed there.';
comment on column risk.runs.is_point_in_time is
'Whether the run was asked what was known at an earlier instant. Its books live in the schema run_<run_id> '
'until its report; no other run builds on it.';
