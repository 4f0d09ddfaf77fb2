-- Reads which later publication has taken a publication's place: that of a later report for the same session.
-- Grain: one row; null = none has. Reads: publications, runs, published_limits. Writes: -. Binds: publication_id.
-- Money: -. Rerun: reads only.
-- A rehearsal takes no live publication's place, one of the past (is_point_in_time) that of its like only, and limits that
-- came into force already were not replaced before.
select max(later.publication_id) as superseded_by
from risk.publications as asked
inner join risk.publications as later
    on
        asked.effective_session = later.effective_session
        and asked.publication_id < later.publication_id
        and (later.is_live or not asked.is_live)
inner join risk.runs as asking on asked.run_id = asking.run_id
inner join risk.runs as answering on later.run_id = answering.run_id
where
    asked.publication_id = %(publication_id)s
    and (asking.is_point_in_time or not answering.is_point_in_time)
    and not exists (
        select 1
        from risk.published_limits
        where published_limits.publication_id = asked.publication_id
    );
