-- Creates the list of files in this load.
-- Grain: one row per file. Reads: -. Writes: staged_files. Binds: -. Money: -. Rerun: gone with its transaction.
create unlogged table staging.staged_files (
    file_number integer primary key,
    file_name text not null,
    content_sha256 text not null,
    record_count bigint not null,
    manifest_entries text,
    quarantine_reason text
);
