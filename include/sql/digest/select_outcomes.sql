-- Counts how limits were decided.
-- Grain: one row per action, by name. Reads: publications, limit_decisions.
-- Binds: from_date, through_date (of the effective session).
select
    limit_decisions.action,
    count(*) as decision_count
from risk.publications
inner join risk.limit_decisions on publications.publication_id = limit_decisions.publication_id
where
    publications.effective_session >= %(from_date)s
    and publications.effective_session <= %(through_date)s
group by limit_decisions.action
order by limit_decisions.action asc;
