-- Reads the desk's session: P&L of the accounts that traded, and what the run found about the model and past cuts.
-- Grain: one row; the columns of a missing gate result or track record are null or empty.
-- Reads: daily_pnl, gate_results, cut_track_records.
-- Money: US dollars, gains positive; null if nobody traded or no books are complete. Both sums exclude accounts with
-- incomplete books, even if their net P&L is known.
with traded as (
    select
        count(*) as traded_account_count,
        count(daily_pnl.incomplete_reason) as incomplete_account_count,
        coalesce(sum(daily_pnl.fill_count), 0)::bigint as fill_count,
        sum(daily_pnl.net_pnl_usd) filter (where daily_pnl.incomplete_reason is null) as net_pnl_usd,
        sum(daily_pnl.total_pnl_usd) as total_pnl_usd
    from derived.daily_pnl
    where
        daily_pnl.session_date = %(session_date)s
        and daily_pnl.fill_count > 0
)

select
    traded.traded_account_count,
    traded.incomplete_account_count,
    traded.fill_count,
    traded.net_pnl_usd,
    traded.total_pnl_usd,
    gate_results.is_serving,
    coalesce(gate_results.reasons, '{}') as gate_reasons,
    coalesce(gate_results.drifts, '{}') as drifts,
    cut_track_records.verdict as track_record_verdict,
    coalesce(cut_track_records.sentences, '{}') as track_record_sentences
from traded
left join results.gate_results on gate_results.run_id = %(run_id)s
left join results.cut_track_records on cut_track_records.run_id = %(run_id)s;
