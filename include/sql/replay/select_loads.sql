-- Finds the load whose warnings were the newest at an instant; an imported history was always there.
-- Grain: at most one row. Reads: loads. Writes: -. Binds: as_of. Money: -. Rerun: reads only.
select
    loads.load_id,
    loads.is_simulated
from risk.loads
where
    loads.recorded_at <= %(as_of)s
    or loads.is_history
order by loads.load_id desc
limit 1;
