-- Compares the books with the source's own and stores where they differ by more than the tolerance.
-- Grain: one row per account-session that differs; one that says so where none does. Reads: current_totals, daily_pnl,
-- sessions. Writes: quality_results. Rerun: the run's earlier ones are deleted first.
-- Binds: run_id, check_name, session_date, as_of, window_sessions, tolerance_usd, money (a format).
-- Money: US dollars; difference = ours less theirs. Incomplete books are named elsewhere and not compared; where
-- nothing is booked ours are 0.
insert into results.quality_results (
    run_id,
    check_name,
    subject,
    severity,
    has_passed,
    observed,
    message
)
with recent as (
    select sessions.session_date
    from risk.sessions
    where sessions.session_date <= %(session_date)s
    order by sessions.session_date desc
    limit %(window_sessions)s
),

sides as (
    select
        reported.account_id,
        reported.session_date,
        round(reported.gross_pnl_usd, 2) as their_gross_usd,
        round(reported.net_pnl_usd, 2) as their_net_usd,
        round(case when daily_pnl.account_id is null then 0 else daily_pnl.gross_pnl_usd end, 2) as our_gross_usd,
        round(case when daily_pnl.account_id is null then 0 else daily_pnl.net_pnl_usd end, 2) as our_net_usd,
        case when daily_pnl.account_id is null then 0 else daily_pnl.gross_pnl_usd end - reported.gross_pnl_usd
            as gross_difference_usd,
        case when daily_pnl.account_id is null then 0 else daily_pnl.net_pnl_usd end - reported.net_pnl_usd
            as net_difference_usd
    from risk.current_totals(%(as_of)s) as reported
    inner join recent on reported.session_date = recent.session_date
    left join derived.daily_pnl
        on
            reported.account_id = daily_pnl.account_id
            and reported.session_date = daily_pnl.session_date
),

differing as (
    select
        sides.account_id,
        sides.session_date,
        sides.their_gross_usd,
        sides.their_net_usd,
        sides.our_gross_usd,
        sides.our_net_usd,
        round(sides.gross_difference_usd, 2) as gross_difference_usd,
        round(sides.net_difference_usd, 2) as net_difference_usd
    from sides
    where
        abs(sides.gross_difference_usd) > %(tolerance_usd)s
        or abs(sides.net_difference_usd) > %(tolerance_usd)s
)

select
    %(run_id)s,
    %(check_name)s,
    concat(differing.account_id, ' ', differing.session_date) as subject,
    'warn' as severity,
    false as has_passed,
    concat('gross ', differing.gross_difference_usd, ', net ', differing.net_difference_usd) as observed,
    concat(
        'Account ', differing.account_id, ', session ', differing.session_date, ': our gross ',
        to_char(differing.our_gross_usd, %(money)s), ' and net ', to_char(differing.our_net_usd, %(money)s),
        ', the source''s own books ', to_char(differing.their_gross_usd, %(money)s), ' and ',
        to_char(differing.their_net_usd, %(money)s), ': a difference of ',
        to_char(differing.gross_difference_usd, %(money)s), ' gross, ',
        to_char(differing.net_difference_usd, %(money)s),
        ' net. Ask the source which fills or fees are not in the delivery.'
    ) as message
from differing
union all
select
    %(run_id)s,
    %(check_name)s,
    '' as subject,
    'warn' as severity,
    true as has_passed,
    concat(count(sides.account_id), ' account-sessions compared') as observed,
    'The books agree with the source''s own to the cent.' as message
from sides
having not exists (select from differing)
order by subject;
