-- Measures the share of all base limits that the recommendations a run may know of have cut away.
-- Grain: one row. Reads: ledger_entries. Writes: -. Binds: through_session_date, known_until. Rerun: reads only.
-- Money: average_cut_ratio, a share of 1, rounded to a hundredth of a percent; 0 without any recommendation.
select
    coalesce(
        round(
            sum(ledger_entries.base_limit_usd * ledger_entries.cut_ratio) / sum(ledger_entries.base_limit_usd),
            4
        ),
        0
    ) as average_cut_ratio
from ledger_entries
where
    ledger_entries.effective_session <= %(through_session_date)s
    and ledger_entries.told_at <= %(known_until)s;
