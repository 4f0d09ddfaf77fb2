-- Empties a cache that has gained columns: the next run computes it from the inputs again.
-- Grain: -. Reads: -. Writes: daily_pnl. Binds: -. Money: -. Rerun: applied once.
-- Only daily_pnl is looked at for what is missing; with its rows those of positions are written anew.
delete from daily_pnl;
