-- Reads one publication, by its own key or by its run's.
-- Grain: at most one row. Reads: publications. Writes: -. Binds: publication_id, run_id (null = the other one counts).
-- Money: -. Rerun: reads only.
select
    publications.publication_id,
    publications.run_id,
    publications.effective_session,
    publications.asked_for,
    publications.has_dual_control,
    publications.decision_deadline,
    publications.is_live,
    publications.dag_run_id
from risk.publications
where
    publications.publication_id = %(publication_id)s
    or publications.run_id = %(run_id)s
order by publications.publication_id asc;
