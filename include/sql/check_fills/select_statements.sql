-- Names the rows of statement files, such as marks or splits, that could not be used and still lie in the source.
-- Grain: one row per rejected row. Reads: fill_rejects, source_files. Writes: -. Binds: load_id. Money: -.
-- Rerun: reads only. A row is kept by the load that met it first: it counts while its file lies there unchanged
-- and still has any: what another file contradicted is right once that one is mended.
select
    concat(fill_rejects.file_name, ' ', fill_rejects.line_number) as subject,
    'row rejected' as observed,
    concat(
        fill_rejects.reason, ' Until then nothing of the row counts, and what needs it is unknown or as it was before.'
    ) as finding
from fill_rejects
inner join source_files as met
    on
        fill_rejects.load_id = met.load_id
        and fill_rejects.file_name = met.file_name
inner join source_files as present
    on
        met.file_name = present.file_name
        and met.content_sha256 = present.content_sha256
        and present.load_id = %(load_id)s
where
    fill_rejects.file_name not like 'fills%%'
    and present.rejected_count > 0
order by subject;
