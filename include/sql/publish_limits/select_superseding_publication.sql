-- Reads which publication of a later report for the same session supersedes a publication.
-- Grain: one row; null = none. Reads: publications, runs, published_limits. Binds: publication_id.
-- A dry run supersedes no live publication, a point-in-time run only its like, and limits that are in force already
-- are not superseded.
select max(later.publication_id) as superseded_by
from risk.publications as publication
inner join risk.publications as later
    on
        publication.effective_session = later.effective_session
        and publication.publication_id <> later.publication_id
        and (later.is_live or not publication.is_live)
inner join risk.runs as own_run on publication.run_id = own_run.run_id
inner join risk.runs as later_run
    on
        later.run_id = later_run.run_id
        and own_run.revision < later_run.revision
where
    publication.publication_id = %(publication_id)s
    and (own_run.is_point_in_time or not later_run.is_point_in_time)
    and not exists (
        select 1
        from risk.published_limits
        where published_limits.publication_id = publication.publication_id
    );
