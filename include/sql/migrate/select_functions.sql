-- Lists the functions of the warehouse.
-- Grain: one row per name. Reads: pg_proc. Writes: -. Binds: -. Money: -. Rerun: reads only.
select distinct functions.proname as function_name
from pg_proc as functions
where functions.pronamespace = 'risk'::regnamespace;
