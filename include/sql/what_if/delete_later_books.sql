-- Removes the books after a session from the temporary tables.
-- Grain: as the tables. Reads: -. Writes: daily_pnl, positions (temporary). Binds: session_date. Money: -.
-- Rerun: removes nothing more.
delete from private.daily_pnl
where daily_pnl.session_date > %(session_date)s;

delete from private.positions
where positions.session_date > %(session_date)s;
