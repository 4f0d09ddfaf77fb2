-- Finds the accounts whose books value one of the listed symbols in the listed session.
-- Grain: one row per account. Reads: positions.
-- Binds: session_dates, symbols (arrays of equal length).
with changed as (
    select
        listed.session_date,
        listed.symbol
    from unnest(%(session_dates)s::date[], %(symbols)s::text[]) as listed (session_date, symbol)
)

select
    positions.account_id,
    min(positions.session_date) as first_session_date
from derived.positions
inner join changed
    on
        positions.session_date = changed.session_date
        and positions.symbol = changed.symbol
group by positions.account_id
order by positions.account_id;
