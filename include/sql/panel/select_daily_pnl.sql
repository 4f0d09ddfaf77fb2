-- Reads the daily results of every account up to a session, as numbers for statistics.
-- Grain: one row per account and session. Reads: daily_pnl. Writes: -. Binds: through_session_date.
-- Money: US dollars as double precision, because scale-free statistics follow; no money is stored from it.
-- Rerun: reads only.
select
    daily_pnl.account_id,
    daily_pnl.session_date,
    daily_pnl.total_pnl_usd::double precision as total_pnl_usd,
    daily_pnl.fill_count::double precision as fill_count,
    daily_pnl.turnover_usd::double precision as turnover_usd,
    daily_pnl.fees_usd::double precision as fees_usd,
    daily_pnl.volume::double precision as volume,
    daily_pnl.early_pnl_usd::double precision as early_pnl_usd,
    daily_pnl.late_pnl_usd::double precision as late_pnl_usd,
    daily_pnl.holding_seconds::double precision as holding_seconds,
    daily_pnl.adds_to_loser_count::double precision as adds_to_loser_count,
    daily_pnl.concentration_ratio::double precision as concentration_ratio,
    daily_pnl.overnight_usd::double precision as overnight_usd
from derived.daily_pnl
where daily_pnl.session_date <= %(through_session_date)s
order by
    daily_pnl.account_id asc,
    daily_pnl.session_date asc;
