-- Takes the quarantined files' ragged records out of the list: a quarantined file is named as a whole.
-- Grain: one row per file and line. Reads: staged_files. Writes: staged_rejects. Binds: -. Money: -.
-- Rerun: changes nothing.
delete from staged_rejects
using staged_files
where
    staged_rejects.file_number = staged_files.file_number
    and staged_files.quarantine_reason is not null;
