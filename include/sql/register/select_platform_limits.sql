-- Reads the newest limit of each account on the trading platform, as known at an instant, and when it was there: a
-- file's when it was loaded, at the latest at the end of the exchange's day that it is about.
-- Grain: one row per account, by name. Reads: platform_limits, renamed_accounts. Binds: as_of. Money: US dollars.
-- A statement about a former name holds for the present one.
with known as (
    select
        coalesce(renamed.account_id, platform_limits.account_id) as account_id,
        platform_limits.limit_usd,
        platform_limits.file_name,
        platform_limits.user_name,
        platform_limits.statement_id,
        least(
            platform_limits.recorded_at,
            (platform_limits.stated_for + 1)::timestamp at time zone %(exchange_zone)s
        ) as seen_at
    from risk.platform_limits
    left join risk.renamed_accounts(%(as_of)s) as renamed
        on
            platform_limits.account_id = renamed.former_account_id
            and (platform_limits.recorded_at at time zone %(exchange_zone)s)::date >= renamed.starts_at
            and (platform_limits.recorded_at at time zone %(exchange_zone)s)::date < renamed.ends_before
    where platform_limits.recorded_at <= %(as_of)s
)

select distinct on (known.account_id)
    known.account_id,
    known.limit_usd,
    known.seen_at,
    known.file_name,
    known.user_name
from known
order by
    known.account_id asc,
    known.seen_at desc,
    known.statement_id desc;
