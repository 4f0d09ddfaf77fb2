-- Looks for ids that occur more than once within an account's delivery of the session.
-- Grain: one row per account. Reads: current_fills. Writes: -. Binds: session_date, as_of. Money: -.
-- Rerun: reads only.
-- Hashes of ids that occur twice are looked for first, which needs less memory; usually there are none.
with suspected as (
    select hashtextextended(known.fill_key, 0) as hash
    from current_fills(%(as_of)s) as known
    where
        known.session_date = %(session_date)s
        and known.fill_key is not null
    group by hashtextextended(known.fill_key, 0)
    having count(*) > 1
),

repeated as (
    select
        known.account_id,
        known.fill_key
    from current_fills(%(as_of)s) as known
    inner join suspected on hashtextextended(known.fill_key, 0) = suspected.hash
    where known.session_date = %(session_date)s
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
