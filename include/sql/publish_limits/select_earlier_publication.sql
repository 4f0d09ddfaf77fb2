-- Reads the newest earlier publication for the same session, of the same kind: live, dry run or point-in-time.
-- Grain: one row; null = none. Reads: publications, runs. Binds: publication_id.
select max(earlier.publication_id) as earlier_publication_id
from risk.publications as publication
inner join risk.runs as own_run on publication.run_id = own_run.run_id
inner join risk.publications as earlier
    on
        publication.effective_session = earlier.effective_session
        and publication.publication_id <> earlier.publication_id
        and publication.is_live = earlier.is_live
inner join risk.runs as earlier_run
    on
        earlier.run_id = earlier_run.run_id
        and own_run.revision > earlier_run.revision
        and own_run.is_point_in_time = earlier_run.is_point_in_time
where publication.publication_id = %(publication_id)s;
