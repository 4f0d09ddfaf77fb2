-- Keeps how an account traded beside what it made: P&L of the first and the last hour, holding, averaging down.
-- Grain: one row per account-session. Reads: -. Writes: daily_pnl. Binds: -. Rerun: applied once.
-- Money: US dollars, before fees, gains positive; overnight_usd is the value of all positions at the close.
-- Null = unknown: no time of day, no multiplier, no mark. concentration_ratio: squared shares in turnover, summed.
alter table daily_pnl
add column early_pnl_usd numeric,
add column late_pnl_usd numeric,
add column holding_seconds bigint,
add column adds_to_loser_count bigint,
add column concentration_ratio numeric,
add column overnight_usd numeric;
