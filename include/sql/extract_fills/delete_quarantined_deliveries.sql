-- Takes the quarantined files' deliveries out of staging; what other files deliver stays.
-- Grain: one row per file, account and session. Reads: staged_files. Writes: staged_deliveries. Binds: -. Money: -.
-- Rerun: changes nothing.
delete from staged_deliveries
using staged_files
where
    staged_deliveries.file_number = staged_files.file_number
    and staged_files.quarantine_reason is not null;
