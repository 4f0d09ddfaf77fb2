-- Judges every distinct account name once.
-- Grain: one row per distinct text. Reads: staged_fills, deliveries. Writes: staged_names. Binds: account_pattern.
-- Money: -. Rerun: gone with its transaction.
-- Only the first 20 characters identify an account at the vendor: two names equal there cannot be told apart.
create unlogged table staging.staged_names as
with texts as (
    select
        listed.account,
        btrim(listed.account) as account_id
    from (select distinct staged_fills.account from staged_fills where staged_fills.account is not null) as listed
),

formed as (
    select
        texts.account,
        texts.account_id,
        texts.account_id ~ concat('^(?:', %(account_pattern)s::text, ')$') as is_formed
    from texts
),

known as (
    select formed.account_id
    from formed
    where formed.is_formed
    union
    select deliveries.account_id
    from risk.deliveries
),

collided as (
    select
        left(known.account_id, 20) as stem,
        min(known.account_id) as first_account_id,
        max(known.account_id) as last_account_id
    from known
    group by left(known.account_id, 20)
    having count(*) > 1
)

select
    formed.account,
    case when formed.is_formed then formed.account_id end as account_id,
    case
        when not formed.is_formed then 'account_name'
        when collided.stem is not null then 'account_collision'
    end as code,
    case
        when formed.account_id = collided.first_account_id then collided.last_account_id
        else collided.first_account_id
    end as twin_account_id
from formed
left join collided on left(formed.account_id, 20) = collided.stem;
