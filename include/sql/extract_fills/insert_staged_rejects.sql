-- Lists the rejected records: all but those of deliveries that say nothing new.
-- Grain: one row per file and line. Reads: checked_fills, staged_files, staged_deliveries. Writes: staged_rejects.
-- Binds: -. Money: -. Rerun: lists them again.
insert into staged_rejects (
    file_number,
    line_number,
    account_id,
    session_date,
    codes
)
select
    checked_fills.file_number,
    checked_fills.line_number,
    checked_fills.account_id,
    checked_fills.session_date,
    checked_fills.codes
from checked_fills
inner join staged_files
    on
        checked_fills.file_number = staged_files.file_number
        and staged_files.quarantine_reason is null
left join staged_deliveries
    on
        checked_fills.file_number = staged_deliveries.file_number
        and checked_fills.account_id = staged_deliveries.account_id
        and checked_fills.session_date = staged_deliveries.session_date
where
    checked_fills.codes <> 'duplicate'
    and (staged_deliveries.is_new or staged_deliveries.file_number is null);
