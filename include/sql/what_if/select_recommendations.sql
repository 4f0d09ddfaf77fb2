-- Reads what some runs recommended.
-- Grain: one row per run and account. Reads: recommendations. Writes: -. Binds: run_ids. Money: US dollars, exact.
-- Rerun: reads only.
select
    recommendations.run_id,
    recommendations.account_id,
    recommendations.level,
    recommendations.cut_ratio,
    recommendations.base_limit_usd,
    recommendations.new_limit_usd
from results.recommendations
where recommendations.run_id = any(%(run_ids)s)
order by
    recommendations.run_id asc,
    recommendations.account_id asc;
