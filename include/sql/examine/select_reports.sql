-- Reads the reports of some sessions, with their runs and secrets.
-- Grain: one row per report. Reads: reports, report_digests, runs. Point-in-time runs are dry runs and do not count.
-- Binds: first_session, last_session, until (instant; recorded until then). Money: exact decimal strings in the facts.
select
    runs.run_id,
    runs.session_date,
    runs.effective_session,
    runs.revision,
    runs.as_of,
    runs.dag_run_id,
    runs.code_version,
    runs.tests_sha256,
    reports.recorded_at,
    reports.facts,
    reports.facts_sha256,
    reports.salt,
    coalesce(report_digests.report_sha256, reports.facts_sha256) as report_sha256,
    (
        select max(model_versions.model_id)
        from risk.model_versions
        where model_versions.recorded_at <= runs.as_of
    ) as model_id
from risk.reports
inner join risk.runs on reports.run_id = runs.run_id
left join risk.report_digests on reports.run_id = report_digests.run_id
where
    not runs.is_point_in_time
    and runs.session_date between %(first_session)s and %(last_session)s
    and reports.recorded_at <= %(until)s::timestamptz
order by
    runs.session_date asc,
    runs.revision asc;
