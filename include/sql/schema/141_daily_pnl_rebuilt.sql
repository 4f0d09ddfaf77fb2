-- Empties a cache that has gained columns: the next run computes it from fills and marks again.
-- Grain: -. Reads: -. Writes: daily_pnl. Binds: -. Money: -. Rerun: applied once.
delete from daily_pnl;
