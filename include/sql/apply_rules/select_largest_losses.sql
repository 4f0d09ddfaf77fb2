-- Reads the largest running loss of each account-session whose path is known, the close included.
-- Grain: one row per account and session, by account, oldest first. Reads: cut_outcomes.
-- Binds: through_session_date, as_of. Money: US dollars, positive, 0 = no loss.
select
    cut_outcomes.account_id,
    greatest(
        cut_outcomes.running_lows_usd[array_upper(cut_outcomes.running_lows_usd, 1)],
        -cut_outcomes.close_usd,
        0
    ) as largest_loss_usd
from derived.cut_outcomes
where
    cut_outcomes.effective_session <= %(through_session_date)s
    and cut_outcomes.reported_at <= %(as_of)s
order by
    cut_outcomes.account_id asc,
    cut_outcomes.effective_session asc;
