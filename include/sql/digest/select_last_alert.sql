-- Reads the newest alert about a failed or late run that a mail server accepted.
-- Grain: at most one row. Reads: alarms. Binds: instant (later ones do not count).
select
    alarms.recorded_at,
    alarms.kind
from risk.alarms
where
    alarms.kind in ('failure', 'lateness')
    and alarms.recorded_at <= %(instant)s
order by
    alarms.recorded_at desc,
    alarms.kind asc
limit 1;
