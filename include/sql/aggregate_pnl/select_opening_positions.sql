-- Reads the positions each account carries into the first session to compute.
-- Grain: one row per account and symbol. Reads: positions, sessions.
-- Binds: account_ids, first_session_dates (arrays of equal length). Money: unrealized_pnl in currency, multiplier
-- scaled by 1e8.
with touched as (
    select
        listed.account_id,
        listed.first_session_date,
        previous.session_date as previous_session_date
    from unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
    inner join risk.sessions as opening
        on listed.first_session_date = opening.session_date
    inner join risk.sessions as previous
        on previous.session_number = opening.session_number - 1
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
inner join derived.positions
    on
        touched.account_id = positions.account_id
        and touched.previous_session_date = positions.session_date
where positions.quantity <> 0
order by touched.first_session_date, positions.account_id, positions.symbol;
