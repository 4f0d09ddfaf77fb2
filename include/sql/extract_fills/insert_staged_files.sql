-- Lists a file that has been read into staging.
-- Grain: one row per file. Reads: -. Writes: staged_files. Money: -.
-- Binds: file_number, file_name, content_sha256, record_count, manifest_entries. Rerun: refused by the primary key.
insert into staged_files (
    file_number,
    file_name,
    content_sha256,
    record_count,
    manifest_entries
)
values (
    %(file_number)s,
    %(file_name)s,
    %(content_sha256)s,
    %(record_count)s,
    %(manifest_entries)s
);
