-- Reads when the last of some sessions was reported for the first time: what is recorded a day later is news.
-- Grain: one row; null without a report. Reads: reports, runs. Binds: first_session, last_session.
with reported as (
    select min(reports.recorded_at) as recorded_at
    from risk.reports
    inner join risk.runs on reports.run_id = runs.run_id
    where
        not runs.is_point_in_time
        and runs.session_date between %(first_session)s and %(last_session)s
    group by runs.session_date
)

select max(reported.recorded_at) as recorded_at
from reported;
