-- Lists the schema files this warehouse has applied.
-- Grain: one row per applied file. Reads: schema_migrations. Writes: -. Binds: -. Money: -. Rerun: reads only.
select
    name,
    content_sha256
from risk.schema_migrations
order by name;
