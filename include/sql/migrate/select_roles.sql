-- Lists the roles of the server.
-- Grain: one row per role. Reads: pg_roles. Writes: -. Binds: -. Money: -. Rerun: reads only.
select roles.rolname as role_name
from pg_roles as roles;
