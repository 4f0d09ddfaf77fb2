-- Removes what is computed again: the books of some accounts from a session on, and what past recommendations were
-- worth by them, which apply_rules computes anew.
-- Grain: one row per account and session. Writes: positions, daily_pnl, cut_outcomes.
-- Binds: through_session_date, account_ids, first_session_dates (arrays of equal length).
with touched as (
    select
        listed.account_id,
        listed.first_session_date
    from unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
),

deleted_positions as (
    delete from derived.positions
    using touched
    where
        positions.account_id = touched.account_id
        and positions.session_date between touched.first_session_date and %(through_session_date)s
),

deleted_outcomes as (
    delete from derived.cut_outcomes
    using touched
    where
        cut_outcomes.account_id = touched.account_id
        and cut_outcomes.effective_session between touched.first_session_date and %(through_session_date)s
)

delete from derived.daily_pnl
using touched
where
    daily_pnl.account_id = touched.account_id
    and daily_pnl.session_date between touched.first_session_date and %(through_session_date)s;
