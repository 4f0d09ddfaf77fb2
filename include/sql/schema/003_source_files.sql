-- Every file a load has read, with its verdict and its control totals.
-- Grain: one row per load and file read in it. Reads: -. Writes: source_files. Binds: -. Money: -.
-- Rerun: applied once. Append only.
-- row_count = loaded + rejected + duplicate + unchanged + deferred. deferred rows belong to sessions after the load's
-- last one; unchanged rows belong to account-sessions whose current delivery has the same content.
-- manifest_entries: what the manifest said of the file, a line per account-session; null without a manifest.
-- reason: why a file is quarantined; of a loaded file a note, such as that it says nothing.
create table source_files (
    load_id bigint not null references loads (load_id),
    file_name text not null,
    content_sha256 text not null,
    manifest_entries text,
    state text not null check (state in ('loaded', 'partly loaded', 'quarantined')),
    reason text,
    row_count bigint not null default 0,
    loaded_count bigint not null default 0,
    rejected_count bigint not null default 0,
    duplicate_count bigint not null default 0,
    unchanged_count bigint not null default 0,
    deferred_count bigint not null default 0,
    primary key (load_id, file_name),
    check (state <> 'quarantined' or reason is not null),
    check (row_count = loaded_count + rejected_count + duplicate_count + unchanged_count + deferred_count)
);
