-- Stores rejected rows of a statement file; one that an earlier load has stored of the same bytes is left out.
-- Grain: one row per load, file and line. Reads: fill_rejects, source_files. Writes: fill_rejects. Money: -.
-- Rerun: stores nothing. Binds: load_id, file_name, content_sha256; line_numbers, raw_texts, reasons (arrays of equal
-- length).
insert into risk.fill_rejects (
    load_id,
    file_name,
    line_number,
    raw_text,
    reason
)
select
    %(load_id)s,
    %(file_name)s,
    listed.line_number,
    listed.raw_text,
    listed.reason
from
    unnest(%(line_numbers)s::bigint[], %(raw_texts)s::text[], %(reasons)s::text[])
        as listed (line_number, raw_text, reason)
where
    not exists (
        select
        from risk.fill_rejects as earlier
        inner join risk.source_files as met
            on
                earlier.load_id = met.load_id
                and earlier.file_name = met.file_name
        where
            earlier.file_name = %(file_name)s
            and met.content_sha256 = %(content_sha256)s
            and earlier.line_number = listed.line_number
            and earlier.raw_text = listed.raw_text
            and earlier.reason = listed.reason
    );
