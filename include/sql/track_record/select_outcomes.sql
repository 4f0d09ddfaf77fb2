-- Reads the outcomes of the recommendations a run may know of.
-- Grain: one row per account and effective session, session by session. Reads: ledger_entries.
-- Binds: through_session_date, known_until. Money: US dollars, exact, gains positive; running_lows_usd are losses,
-- positive, ascending. average_cut_ratio: share of all base limits that was cut, to a hundredth of a percent.
with average as (
    select
        round(
            sum(ledger_entries.base_limit_usd * ledger_entries.cut_ratio) / sum(ledger_entries.base_limit_usd),
            4
        ) as average_cut_ratio
    from ledger_entries
    where
        ledger_entries.effective_session <= %(through_session_date)s
        and ledger_entries.told_at <= %(known_until)s
)

select
    ledger_entries.effective_session,
    ledger_entries.is_live,
    ledger_entries.base_limit_usd,
    ledger_entries.cut_ratio,
    ledger_entries.limit_usd,
    ledger_entries.running_lows_usd,
    ledger_entries.close_usd,
    average.average_cut_ratio
from ledger_entries
cross join average
where
    ledger_entries.effective_session <= %(through_session_date)s
    and ledger_entries.told_at <= %(known_until)s
order by
    ledger_entries.effective_session asc,
    ledger_entries.account_id asc;
