-- Reads how the base limits fit, by the newest run of a session up to one; no point-in-time run.
-- Grain: one row per verdict, by verdict. Reads: limit_fits, runs. Binds: through_date.
with reviewed as (
    select
        runs.run_id,
        runs.session_date
    from risk.runs
    where
        runs.session_date <= %(through_date)s
        and not runs.is_point_in_time
        and exists (
            select 1
            from results.limit_fits
            where limit_fits.run_id = runs.run_id
        )
    order by
        runs.session_date desc,
        runs.revision desc
    limit 1
)

select
    limit_fits.verdict,
    reviewed.session_date,
    count(*) as account_count,
    array_agg(limit_fits.account_id order by limit_fits.account_id asc) as account_ids
from reviewed
inner join results.limit_fits on reviewed.run_id = limit_fits.run_id
group by
    limit_fits.verdict,
    reviewed.session_date
order by limit_fits.verdict asc;
