-- Names the executions whose side contradicts the position they met: a short sale while long, a cover beyond the short.
-- Grain: one row per account and symbol, up to shown_count of them and one that counts the rest; one that says so
-- where there is none. Reads: positions, current_fills. Writes: quality_results.
-- Binds: run_id, check_name, session_date, as_of, shown_count. Rerun: the run's earlier ones are deleted first.
insert into results.quality_results (
    run_id,
    check_name,
    subject,
    severity,
    has_passed,
    observed,
    message
)
with listed as (
    select
        positions.account_id,
        positions.symbol,
        positions.side_conflicts,
        row_number() over (order by positions.account_id, positions.symbol) as place
    from derived.positions
    where
        positions.session_date = %(session_date)s
        and positions.side_conflicts is not null
),

shown as (
    select
        listed.account_id,
        listed.symbol,
        listed.side_conflicts
    from listed
    where listed.place <= %(shown_count)s
),

numbered as (
    select
        current_fills.account_id,
        current_fills.symbol,
        current_fills.side,
        current_fills.quantity,
        current_fills.executed_at,
        current_fills.fill_key,
        current_fills.line_number,
        shown.side_conflicts,
        row_number() over (
            partition by current_fills.account_id, current_fills.symbol
            order by current_fills.executed_at, current_fills.line_number, current_fills.delivery_id
        ) as number
    from risk.current_fills(%(as_of)s) as current_fills
    inner join shown
        on
            current_fills.account_id = shown.account_id
            and current_fills.symbol = shown.symbol
    where current_fills.session_date = %(session_date)s
),

found as (
    select
        numbered.account_id,
        numbered.symbol,
        cardinality(numbered.side_conflicts) as fill_count,
        concat(
            case numbered.side when 'T' then 'a short sale (T) of ' else 'a cover (C) of ' end,
            trim_scale(numbered.quantity), ' at ',
            to_char(numbered.executed_at at time zone 'America/New_York', 'HH24:MI:SS'),
            ', fill ' || numbered.fill_key, ', line ', numbered.line_number,
            case numbered.side when 'T' then ', while long' else ', beyond the short position' end
        ) as fill
    from numbered
    where numbered.number = numbered.side_conflicts[1]
)

select
    %(run_id)s,
    %(check_name)s,
    concat(found.account_id, ' ', found.symbol) as subject,
    'warn' as severity,
    false as has_passed,
    concat(found.fill_count, ' executions') as observed,
    concat(
        'Account ', found.account_id, ', ', found.symbol, ': ', found.fill_count, ' execution(s) contradict the ',
        'position they met, first ', found.fill, '. The position was taken as it is; check the sides at the source.'
    ) as message
from found
union all
select
    %(run_id)s,
    %(check_name)s,
    '(others)' as subject,
    'warn' as severity,
    false as has_passed,
    concat(count(*), ' more') as observed,
    concat(count(*), ' more accounts and symbols with such executions are not listed.') as message
from listed
where listed.place > %(shown_count)s
having count(*) > 0
union all
select
    %(run_id)s,
    %(check_name)s,
    '' as subject,
    'warn' as severity,
    true as has_passed,
    '0 executions' as observed,
    'Every side fits the position it met.' as message
where not exists (select from found)
order by subject;
