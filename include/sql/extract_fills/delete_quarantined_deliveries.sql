-- Takes the quarantined files' deliveries out of staging; what other files deliver stays.
-- Grain: one row per file, account and session. Reads: staged_files. Writes: staged_deliveries. Rerun: changes nothing.
delete from staged_deliveries
using staged_files
where
    staged_deliveries.file_name = staged_files.file_name
    and staged_files.quarantine_reason is not null;
