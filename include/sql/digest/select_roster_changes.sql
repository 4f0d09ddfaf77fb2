-- Reads which accounts have a limit in a session of a week and had none in the previous report, or the reverse.
-- Grain: one row per session and account, ascending. Reads: runs, reports, recommendations, renamed_accounts.
-- A renamed account is no change.
with reported as (
    select distinct on (runs.session_date)
        runs.session_date,
        runs.run_id
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    where runs.session_date <= %(through_date)s
    order by
        runs.session_date asc,
        runs.is_point_in_time asc,
        runs.revision desc
),

pairs as (
    select
        reported.session_date,
        reported.run_id,
        lag(reported.session_date) over (order by reported.session_date asc) as earlier_session_date,
        lag(reported.run_id) over (order by reported.session_date asc) as earlier_run_id
    from reported
),

sides as (
    select
        pairs.session_date,
        side.listed_in,
        side.run_id
    from pairs
    cross join
        lateral (
            values
            (pairs.session_date, pairs.run_id),
            (pairs.earlier_session_date, pairs.earlier_run_id)
        ) as side (listed_in, run_id)
    where
        pairs.session_date >= %(from_date)s
        and pairs.earlier_run_id is not null
)

select
    sides.session_date,
    coalesce(renamed.account_id, recommendations.account_id) as account_id,
    max(sides.listed_in) = sides.session_date as has_come
from sides
inner join results.recommendations on sides.run_id = recommendations.run_id
left join risk.renamed_accounts('infinity') as renamed
    on
        recommendations.account_id = renamed.former_account_id
        and sides.listed_in >= renamed.starts_at
        and sides.listed_in < renamed.ends_before
group by
    sides.session_date,
    coalesce(renamed.account_id, recommendations.account_id)
having count(distinct sides.listed_in) = 1
order by
    sides.session_date asc,
    account_id asc;
