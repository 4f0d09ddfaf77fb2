-- Lets holding times be of any size: a large position and a tiny trade are more seconds than a bigint holds.
-- Grain: one row per account and session. Reads: -. Writes: daily_pnl. Binds: -. Money: -. Rerun: applied once.
alter table daily_pnl
alter column holding_seconds type numeric;
