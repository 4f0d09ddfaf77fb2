-- Tells whether earlier loads of this warehouse came from a simulated desk.
-- Grain: at most one row per kind. Reads: loads. Writes: -. Binds: -. Money: -. Rerun: reads only.
select distinct loads.is_simulated
from risk.loads
order by loads.is_simulated;
