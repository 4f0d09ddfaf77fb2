-- Looks for ids that occur more than once within an account's delivery of the session.
-- Grain: one row per account. Reads: fills, current_fills. Writes: -. Binds: session_date, as_of. Money: -.
-- Rerun: reads only.
-- Usually there are none, which the number of different hashes shows: to sort integers takes a third of the time that
-- grouping takes. "offset 0" keeps the planner from sorting ids beside their hashes.
with hashed as (
    select hashtextextended(fills.fill_key, fills.delivery_id) as hash
    from fills
    where
        fills.session_date = %(session_date)s
        and fills.fill_key is not null
    offset 0 -- noqa: AM09
),

repeated as (
    select
        known.account_id,
        known.fill_key
    from current_fills(%(as_of)s) as known
    where
        (select count(*) > count(distinct hashed.hash) from hashed)
        and known.session_date = %(session_date)s
        and known.fill_key is not null
    group by
        known.account_id,
        known.delivery_id,
        known.fill_key
    having count(*) > 1
)

select
    repeated.account_id as subject,
    concat(count(*), ' repeated ids') as observed,
    concat(
        'Account ', repeated.account_id, ' has ', count(*), ' ids that occur more than once, such as ',
        min(repeated.fill_key), '. Deliver the account''s session again.'
    ) as finding
from repeated
group by repeated.account_id
order by repeated.account_id;
