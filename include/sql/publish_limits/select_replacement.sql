-- Reads which later publication has taken a publication's place: that of a later report for the same session.
-- Grain: one row; null = none has. Reads: publications. Writes: -. Binds: publication_id. Money: -. Rerun: reads only.
select max(later.publication_id) as replaced_by
from publications as asked
inner join publications as later
    on
        asked.effective_session = later.effective_session
        and asked.publication_id < later.publication_id
where asked.publication_id = %(publication_id)s;
