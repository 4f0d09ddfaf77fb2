-- Tells which accounts got a limit in a session of a week and none in the one reported before, or the other way round.
-- Grain: one row per session and account, ascending. Reads: runs, reports, recommendations. Writes: -.
-- Binds: from_date, through_date. Money: -. Rerun: reads only.
with reported as (
    select distinct on (runs.session_date)
        runs.session_date,
        runs.run_id
    from runs
    inner join reports on runs.run_id = reports.run_id
    where runs.session_date <= %(through_date)s
    order by
        runs.session_date asc,
        runs.knows_past asc,
        runs.revision desc
),

pairs as (
    select
        reported.session_date,
        reported.run_id,
        lag(reported.run_id) over (order by reported.session_date asc) as earlier_run_id
    from reported
)

select
    pairs.session_date,
    listed.account_id,
    listed.run_id = pairs.run_id as has_come
from pairs
inner join recommendations as listed on listed.run_id in (pairs.run_id, pairs.earlier_run_id)
where
    pairs.session_date >= %(from_date)s
    and pairs.earlier_run_id is not null
    and not exists (
        select from recommendations as others
        where
            others.account_id = listed.account_id
            and others.run_id in (pairs.run_id, pairs.earlier_run_id)
            and others.run_id <> listed.run_id
    )
order by
    pairs.session_date asc,
    listed.account_id asc;
