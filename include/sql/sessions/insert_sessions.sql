-- Stores the exchange's calendar; what the library has corrected since is updated.
-- Grain: one row per session. Reads: -. Writes: sessions. Money: -.
-- Binds: session_dates, opens_at, closes_at (arrays of equal length, ascending).
-- Rerun: changes nothing.
insert into risk.sessions (
    session_date,
    session_number,
    opens_at,
    closes_at
)
select
    listed.session_date,
    listed.session_number,
    listed.opens_at,
    listed.closes_at
from
    unnest(%(session_dates)s::date[], %(opens_at)s::timestamptz[], %(closes_at)s::timestamptz[])
    with ordinality as listed (session_date, opens_at, closes_at, session_number)
on conflict (session_date) do update set
    session_number = excluded.session_number,
    opens_at = excluded.opens_at,
    closes_at = excluded.closes_at
where
(sessions.session_number, sessions.opens_at, sessions.closes_at)
is distinct from (excluded.session_number, excluded.opens_at, excluded.closes_at);
