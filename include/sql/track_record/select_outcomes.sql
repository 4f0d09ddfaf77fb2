-- Reads the outcomes of the recommendations a run may know of.
-- Grain: one row per account and effective session, session by session. Reads: cut_outcomes.
-- Binds: through_session_date, as_of. Money: US dollars, exact, gains positive; running_lows_usd are losses,
-- positive, ascending. average_cut_ratio: share of all base limits that was cut, to a hundredth of a percent.
with average as (
    select
        round(
            sum(cut_outcomes.base_limit_usd * cut_outcomes.cut_ratio) / sum(cut_outcomes.base_limit_usd),
            4
        ) as average_cut_ratio
    from derived.cut_outcomes
    where
        cut_outcomes.effective_session <= %(through_session_date)s
        and cut_outcomes.reported_at <= %(as_of)s
)

select
    cut_outcomes.effective_session,
    cut_outcomes.account_id,
    cut_outcomes.is_live,
    cut_outcomes.base_limit_usd,
    cut_outcomes.cut_ratio,
    cut_outcomes.limit_usd,
    cut_outcomes.running_lows_usd,
    cut_outcomes.close_usd,
    average.average_cut_ratio
from derived.cut_outcomes
cross join average
where
    cut_outcomes.effective_session <= %(through_session_date)s
    and cut_outcomes.reported_at <= %(as_of)s
order by
    cut_outcomes.effective_session asc,
    cut_outcomes.account_id asc;
