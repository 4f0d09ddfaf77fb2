-- Logs a file that cannot be right as a whole.
-- Grain: one row. Reads: -. Writes: source_files. Binds: load_id, file_name, content_sha256, reason. Money: -.
-- Rerun: one log line per load and file; the first reason stays.
insert into risk.source_files (
    load_id,
    file_name,
    content_sha256,
    state,
    reason
)
values (
    %(load_id)s,
    %(file_name)s,
    %(content_sha256)s,
    'quarantined',
    %(reason)s
)
on conflict (load_id, file_name) do nothing;
