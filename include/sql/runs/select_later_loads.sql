-- Reads the newest load that is recorded later than the database's clock now shows: the clock was ahead then.
-- Grain: at most one row. Reads: loads.
select
    loads.recorded_at,
    clock_timestamp() as asked_at
from risk.loads
where loads.recorded_at > clock_timestamp()
order by loads.recorded_at desc
limit 1;
