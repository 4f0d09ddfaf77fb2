-- Stores rejected records with raw text and sentence; one that an earlier load has stored is left out, if it is of the
-- same bytes or of a delivery.
-- Grain: one row per load, file and line. Reads: staged_rejects, staged_reasons, staged_files, deliveries,
-- fill_rejects, source_files. Writes: fill_rejects. Binds: load_id. Money: -. Rerun: stores nothing.
insert into risk.fill_rejects (
    load_id,
    file_name,
    line_number,
    delivery_id,
    account_id,
    session_date,
    raw_text,
    reason
)
select
    %(load_id)s,
    staged_files.file_name,
    staged_rejects.line_number,
    deliveries.delivery_id,
    staged_rejects.account_id,
    staged_rejects.session_date,
    staged_reasons.raw_text,
    staged_reasons.reason
from staged_rejects
inner join staged_files on staged_rejects.file_number = staged_files.file_number
inner join staged_reasons
    on
        staged_rejects.file_number = staged_reasons.file_number
        and staged_rejects.line_number = staged_reasons.line_number
left join risk.deliveries
    on
        staged_files.file_name = deliveries.file_name
        and staged_rejects.account_id = deliveries.account_id
        and staged_rejects.session_date = deliveries.session_date
        and deliveries.load_id = %(load_id)s
where
    deliveries.delivery_id is not null
    or not exists (
        select
        from risk.fill_rejects as earlier
        inner join risk.source_files as met
            on
                earlier.load_id = met.load_id
                and earlier.file_name = met.file_name
        where
            earlier.file_name = staged_files.file_name
            and (earlier.delivery_id is not null or met.content_sha256 = staged_files.content_sha256)
            and earlier.line_number = staged_rejects.line_number
            and earlier.raw_text = staged_reasons.raw_text
            and earlier.reason = staged_reasons.reason
    );
