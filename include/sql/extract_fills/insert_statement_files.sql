-- Logs a statement file with its control totals.
-- Grain: one row. Reads: -. Writes: source_files. Money: -. Rerun: refused by the primary key.
-- Binds: load_id, file_name, content_sha256, loaded_count, rejected_count, unchanged_count, deferred_count.
insert into risk.source_files (
    load_id,
    file_name,
    content_sha256,
    state,
    row_count,
    loaded_count,
    rejected_count,
    unchanged_count,
    deferred_count
)
values (
    %(load_id)s,
    %(file_name)s,
    %(content_sha256)s,
    case when %(rejected_count)s > 0 then 'partly loaded' else 'loaded' end,
    %(loaded_count)s + %(rejected_count)s + %(unchanged_count)s + %(deferred_count)s,
    %(loaded_count)s,
    %(rejected_count)s,
    %(unchanged_count)s,
    %(deferred_count)s
);
