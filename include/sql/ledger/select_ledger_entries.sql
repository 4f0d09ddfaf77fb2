-- Reads what became of the recommendations a run may know of.
-- Grain: one row per account and effective session, session by session. Reads: ledger_entries. Writes: -.
-- Binds: through_session_date, known_until. Money: US dollars, exact, gains positive; running_lows_usd are losses, positive,
-- ascending. Rerun: reads only.
select
    ledger_entries.effective_session,
    ledger_entries.is_live,
    ledger_entries.base_limit_usd,
    ledger_entries.cut_ratio,
    ledger_entries.limit_usd,
    ledger_entries.running_lows_usd,
    ledger_entries.close_usd
from ledger_entries
where
    ledger_entries.effective_session <= %(through_session_date)s
    and ledger_entries.told_at <= %(known_until)s
order by
    ledger_entries.effective_session asc,
    ledger_entries.account_id asc;
