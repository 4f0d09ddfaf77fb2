-- Puts an empty table of this connection's own before daily_pnl.
-- Grain: one row per account and session. Reads: -. Writes: -. Binds: -. Money: as in daily_pnl.
-- Rerun: gone with its connection.
create temporary table daily_pnl (like public.daily_pnl including all);
