-- Records that a schema file has been applied.
-- Grain: one row per applied file. Reads: -. Writes: schema_migrations. Binds: name, content_sha256. Money: -.
-- Rerun: refused by the primary key.
insert into risk.schema_migrations (
    name,
    content_sha256
)
values (
    %(name)s,
    %(content_sha256)s
);
