-- Reads one publication, by its own key or by its run's.
-- Grain: at most one row. Reads: publications, restores, published_limits.
-- Binds: publication_id, run_id (one of them null).
-- closed_at: restore of the warehouse since then, where nothing was published before; null = none.
select
    publications.publication_id,
    publications.run_id,
    publications.effective_session,
    publications.approval_scope,
    publications.has_dual_control,
    publications.decision_deadline,
    publications.is_live,
    publications.dag_run_id,
    publications.stand_in_names,
    publications.stand_in_from,
    publications.recorded_at,
    (
        select min(restores.recorded_at)
        from risk.restores
        where
            restores.recorded_at > publications.recorded_at
            and not exists (
                select
                from risk.published_limits
                where published_limits.publication_id = publications.publication_id
            )
    ) as closed_at
from risk.publications
where
    publications.publication_id = %(publication_id)s
    or publications.run_id = %(run_id)s
order by publications.publication_id asc;
