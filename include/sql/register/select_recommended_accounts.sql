-- Reads the accounts that the newest run recommended a limit for; no point-in-time run.
-- Grain: one row per account, by name. Reads: runs, recommendations.
with newest as (
    select runs.run_id
    from risk.runs
    where
        not runs.is_point_in_time
        and exists (
            select 1
            from results.recommendations
            where recommendations.run_id = runs.run_id
        )
    order by
        runs.session_date desc,
        runs.revision desc
    limit 1
)

select recommendations.account_id
from results.recommendations
inner join newest on recommendations.run_id = newest.run_id
order by recommendations.account_id asc;
