-- Removes what is computed again, and lists the positions each account carries into its first session to compute.
-- Removed are the books of some accounts from a session on, and what past recommendations were worth by them, which
-- apply_rules computes anew.
-- Grain: one row per account and symbol. Reads: positions, sessions. Writes: positions, daily_pnl, cut_outcomes.
-- Binds: through_session_date, account_ids, first_session_dates (arrays of equal length). Money: unrealized_pnl in
-- currency, multiplier scaled by 1e8.
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
),

deleted_results as (
    delete from derived.daily_pnl
    using touched
    where
        daily_pnl.account_id = touched.account_id
        and daily_pnl.session_date between touched.first_session_date and %(through_session_date)s
)

select
    touched.first_session_date,
    positions.account_id,
    positions.symbol,
    positions.currency,
    positions.lots,
    (positions.multiplier * 100000000)::bigint as multiplier,
    positions.unrealized_pnl,
    positions.unrealized_pnl_usd
from touched
inner join risk.sessions as opening
    on touched.first_session_date = opening.session_date
inner join risk.sessions as previous
    on previous.session_number = opening.session_number - 1
inner join derived.positions
    on
        touched.account_id = positions.account_id
        and previous.session_date = positions.session_date
where positions.quantity <> 0
order by touched.first_session_date, positions.account_id, positions.symbol;
