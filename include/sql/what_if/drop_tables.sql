-- Removes the temporary copies of this connection.
-- Grain: -. Reads: -. Writes: -. Binds: -. Money: -. Rerun: removes nothing more.
drop table if exists
private.daily_pnl, private.positions, private.last_fills, private.cut_outcomes, private.forecasts,
pg_temp.issued_forecasts;
