-- Names the account-sessions whose books are incomplete: what is missing, and what that blocks.
-- Grain: one row per account; one that says so where there is none. Reads: daily_pnl. Writes: quality_results.
-- Binds: run_id, check_name, session_date. Rerun: the run's earlier ones are deleted first.
insert into results.quality_results (
    run_id,
    check_name,
    subject,
    severity,
    has_passed,
    observed,
    message
)
with found as (
    select
        daily_pnl.account_id,
        daily_pnl.incomplete_reason
    from derived.daily_pnl
    where
        daily_pnl.session_date = %(session_date)s
        and daily_pnl.incomplete_reason is not null
)

select
    %(run_id)s,
    %(check_name)s,
    found.account_id as subject,
    'warn' as severity,
    false as has_passed,
    'no result' as observed,
    concat(
        'Account ', found.account_id, ' has no result for ', %(session_date)s::date,
        ', so it is in no total and no feature of that session. ', found.incomplete_reason
    ) as message
from found
union all
select
    %(run_id)s,
    %(check_name)s,
    '' as subject,
    'warn' as severity,
    true as has_passed,
    'all complete' as observed,
    'Every price, multiplier and rate that the session needs is known.' as message
where not exists (select from found)
order by subject;
