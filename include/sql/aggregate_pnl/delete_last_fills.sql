-- Removes the last fills of sessions of which a delivery changed.
-- Grain: one row per session, symbol and currency. Writes: last_fills. Binds: session_dates.
-- Rerun: removes nothing more.
delete from derived.last_fills
where last_fills.session_date = any(%(session_dates)s::date[]);
