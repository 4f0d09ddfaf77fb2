-- Opens the next revision of a session; the run knows every input recorded until now, or until the instant it is asked.
-- Grain: one row per session and revision. Reads: runs, loads. Writes: runs. Money: -.
-- Binds: session_date, effective_session, as_of (null = now), load_id, dag_run_id, code_version, tests_sha256
-- (null = the tests are not installed here).
-- Rerun: opens one more revision.
insert into risk.runs (
    session_date,
    effective_session,
    revision,
    as_of,
    is_point_in_time,
    load_id,
    dag_run_id,
    code_version,
    tests_sha256
)
select
    %(session_date)s,
    %(effective_session)s,
    coalesce(max(earlier.revision), 0) + 1,
    coalesce(%(as_of)s::timestamptz, clock_timestamp()),
    %(as_of)s::timestamptz is not null,
    %(load_id)s,
    %(dag_run_id)s,
    %(code_version)s,
    %(tests_sha256)s
from risk.runs as earlier
where earlier.session_date = %(session_date)s
returning
    runs.run_id,
    runs.session_date,
    runs.effective_session,
    runs.as_of,
    runs.revision,
    runs.load_id,
    runs.dag_run_id,
    runs.code_version,
    (
        select loads.is_simulated
        from risk.loads
        where loads.load_id = %(load_id)s
    ) as is_simulated,
    runs.is_point_in_time;
