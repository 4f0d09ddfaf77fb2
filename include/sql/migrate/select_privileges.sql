-- Tells whether this role may change the warehouse's schema: its owner may, the pipeline's own role may not.
-- Grain: one row. Reads: -. Writes: -. Binds: -. Money: -. Rerun: reads only.
select has_schema_privilege('public', 'create') as may_create;
