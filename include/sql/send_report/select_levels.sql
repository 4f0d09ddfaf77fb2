-- Counts the traders of a run by risk level.
-- Grain: one row per level. Reads: recommendations. Binds: run_id.
select
    recommendations.level,
    count(*) as account_count
from results.recommendations
where recommendations.run_id = %(run_id)s
group by recommendations.level
order by recommendations.level asc;
