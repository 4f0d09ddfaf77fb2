create table risk.source_files (
    load_id bigint not null references risk.loads (load_id),
    file_name text not null,
    content_sha256 text not null,
    manifest_entries text,
    state text not null check (state in ('loaded', 'partly loaded', 'quarantined', 'waiting', 'unread')),
    reason text,
    row_count bigint not null default 0,
    loaded_count bigint not null default 0,
    rejected_count bigint not null default 0,
    duplicate_count bigint not null default 0,
    unchanged_count bigint not null default 0,
    deferred_count bigint not null default 0,
    is_reference boolean not null default false,
    primary key (load_id, file_name),
    check (state in ('loaded', 'partly loaded') or reason is not null),
    check (row_count = loaded_count + rejected_count + duplicate_count + unchanged_count + deferred_count)
);

comment on table risk.source_files is
'Files that a load has read or found, with their state and row counts. Grain: one row per load and file. Append '
'only.';
comment on column risk.source_files.load_id is 'Load that recorded the row.';
comment on column risk.source_files.file_name is 'File the row comes from.';
comment on column risk.source_files.content_sha256 is 'SHA-256 of the file''s bytes.';
comment on column risk.source_files.manifest_entries is
'What the manifest says about the file, one line per account-session; null without a manifest.';
comment on column risk.source_files.state is
'loaded, partly loaded (some rows were rejected), quarantined (nothing was loaded), waiting (it is not complete: '
'some or no rows were loaded) or unread (nothing is read under its name).';
comment on column risk.source_files.reason is 'Why the file is not loaded; for a loaded file a note.';
comment on column risk.source_files.row_count is 'Data rows of the file; the sum of the five counts below.';
comment on column risk.source_files.loaded_count is 'Rows that became fills, corrections or reference data.';
comment on column risk.source_files.rejected_count is 'Rows that are invalid, see fill_rejects.';
comment on column risk.source_files.duplicate_count is 'Rows that repeat another row of the same delivery.';
comment on column risk.source_files.unchanged_count is
'Rows of account-sessions whose current delivery has the same content.';
comment on column risk.source_files.deferred_count is 'Rows of sessions after the load''s last one.';
comment on column risk.source_files.is_reference is 'Whether it is a reference file, not one of executions.';
