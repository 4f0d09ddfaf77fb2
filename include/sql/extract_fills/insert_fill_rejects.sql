-- Stores rejected records with raw text and sentence; one that an earlier load has stored is left out, if it is of the
-- same bytes or of a delivery.
-- Grain: one row per load, file and line. Reads: staged_rejects, fill_rejects, source_files. Writes: fill_rejects.
-- Binds: load_id. Rerun: stores nothing.
insert into risk.fill_rejects (
    load_id,
    file_name,
    line_number,
    delivery_id,
    account_id,
    session_date,
    raw_text,
    reason,
    cause,
    is_reference
)
select
    %(load_id)s,
    staged_rejects.file_name,
    staged_rejects.line_number,
    staged_rejects.delivery_id,
    staged_rejects.account_id,
    staged_rejects.session_date,
    staged_rejects.raw_text,
    staged_rejects.reason,
    staged_rejects.cause,
    staged_rejects.is_reference
from pg_temp.staged_rejects
where
    staged_rejects.delivery_id is not null
    or not exists (
        select
        from risk.fill_rejects as earlier
        inner join risk.source_files as read_earlier
            on
                earlier.load_id = read_earlier.load_id
                and earlier.file_name = read_earlier.file_name
        where
            earlier.file_name = staged_rejects.file_name
            and (earlier.delivery_id is not null or read_earlier.content_sha256 = staged_rejects.content_sha256)
            and earlier.line_number = staged_rejects.line_number
            and earlier.raw_text = staged_rejects.raw_text
            and earlier.reason = staged_rejects.reason
    );
