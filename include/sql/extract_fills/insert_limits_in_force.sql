-- Stores the limits that the trading platform has by its own files, where they are not what was said last of the day.
-- Grain: one row per account and day. Reads: staged_limits_in_force, platform_limits. Writes: platform_limits.
-- Binds: load_id. Money: US dollars. Rerun: stores nothing.
-- Returns the file of each row stored.
with known as (
    select distinct on (platform_limits.account_id, platform_limits.stated_for)
        platform_limits.account_id,
        platform_limits.stated_for,
        platform_limits.limit_usd
    from risk.platform_limits
    where platform_limits.stated_for is not null
    order by
        platform_limits.account_id asc,
        platform_limits.stated_for asc,
        platform_limits.statement_id desc
)

insert into risk.platform_limits (
    account_id,
    limit_usd,
    stated_for,
    load_id,
    file_name,
    line_number
)
select
    staged_limits_in_force.account_id,
    staged_limits_in_force.limit_usd,
    staged_limits_in_force.stated_for,
    %(load_id)s,
    staged_limits_in_force.file_name,
    staged_limits_in_force.line_number
from pg_temp.staged_limits_in_force
left join known
    on
        staged_limits_in_force.account_id = known.account_id
        and staged_limits_in_force.stated_for = known.stated_for
where known.limit_usd is distinct from staged_limits_in_force.limit_usd
order by
    staged_limits_in_force.file_name,
    staged_limits_in_force.line_number
returning platform_limits.file_name;
