create table risk.schema_migrations (
    name text primary key,
    content_sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
);

comment on table risk.schema_migrations is
'Schema files applied to this warehouse: the baseline, then the migrations that follow it. Grain: one row per '
'file. Written by the owner only.';
comment on column risk.schema_migrations.name is
'Name of the schema file; baseline = all files of tables/ and functions/ together.';
comment on column risk.schema_migrations.content_sha256 is
'SHA-256 of the file as it was applied; a file that has changed since is refused.';
comment on column risk.schema_migrations.applied_at is 'When it was applied.';
