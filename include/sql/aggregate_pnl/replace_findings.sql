-- Names what somebody should look at in the books of the run's session: the source's own totals that differ, sides that
-- contradict their position, closing prices in another currency, suspected splits, and books that are incomplete.
-- Grain: one row per check and subject (an account-session, an account and symbol, a symbol, an account); one that says
-- so where a check finds none. Of side conflicts up to shown_count are named, one more row counts the rest.
-- Reads: current_totals, daily_pnl, sessions, positions, current_deliveries, corrected_fills, marks.
-- Writes: quality_results.
-- Binds: run_id, session_date, as_of, window_sessions, tolerance_usd, money (a format), shown_count.
-- Money: US dollars; difference = ours less theirs. Incomplete books are not compared with the source's; where nothing
-- is booked ours are 0.
-- Rerun: replaces the run's earlier findings of these checks; what is deleted is never what is inserted.
-- The price of a pair such as @CADUSD is in its second currency, also where its first is stated.
-- Totals that differ by a whole factor of what a contract, or the account, has gained point at a multiplier: gains of
-- less than a dollar are such multiples by chance.
-- Suspected splits come as arrays of equal length: split_subjects, split_ratios, split_sentences.
-- A position in several currencies (XXX) is named with the incomplete books.
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
),

gains as (
    select
        differing.account_id,
        differing.session_date,
        1 as rank,
        differing.our_gross_usd as gain_usd,
        -differing.gross_difference_usd as missing_usd,
        string_agg(positions.symbol, ', ' order by positions.symbol) as symbols,
        null::numeric as multiplier
    from differing
    inner join derived.positions
        on
            differing.account_id = positions.account_id
            and differing.session_date = positions.session_date
            and positions.realized_pnl_usd <> 0
    group by
        differing.account_id,
        differing.session_date,
        differing.our_gross_usd,
        differing.gross_difference_usd
    union all
    select
        differing.account_id,
        differing.session_date,
        0 as rank,
        positions.realized_pnl_usd as gain_usd,
        -differing.gross_difference_usd as missing_usd,
        positions.symbol as symbols,
        positions.multiplier
    from differing
    inner join derived.positions
        on
            differing.account_id = positions.account_id
            and differing.session_date = positions.session_date
    where positions.symbol !~ '^[A-Z]+$'
),

factors as (
    select
        gains.account_id,
        gains.session_date,
        gains.rank,
        gains.symbols,
        gains.multiplier,
        gains.gain_usd,
        gains.missing_usd,
        case
            when gains.missing_usd / gains.gain_usd >= 0.5 then round(1 + gains.missing_usd / gains.gain_usd)
            when gains.missing_usd / gains.gain_usd between -0.9999 and -0.4
                then 1 / round(1 / (1 + gains.missing_usd / gains.gain_usd))
        end as factor
    from gains
    where abs(gains.gain_usd) >= 1
),

multiplier_hints as (
    select distinct on (factors.account_id, factors.session_date)
        factors.account_id,
        factors.session_date,
        concat(
            ' That is what a multiplier of ',
            coalesce(
                trim_scale(round(factors.multiplier * factors.factor, 8))::text,
                concat(trim_scale(round(factors.factor, 4)), ' times ours')
            ),
            ' gives for ', factors.symbols, ': correct it in an instruments file if it is the right one.'
        ) as hint
    from factors
    where abs(factors.missing_usd - (factors.factor - 1) * factors.gain_usd) <= %(tolerance_usd)s
    order by
        factors.account_id asc,
        factors.session_date asc,
        factors.rank asc,
        factors.symbols asc
),

conflicting as (
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
        conflicting.account_id,
        conflicting.symbol,
        conflicting.side_conflicts
    from conflicting
    where conflicting.place <= %(shown_count)s
),

numbered as (
    select
        delivered.account_id,
        fills.symbol,
        fills.side,
        fills.quantity,
        fills.executed_at,
        fills.fill_key,
        fills.line_number,
        shown.side_conflicts,
        row_number() over (
            partition by delivered.account_id, fills.symbol
            order by fills.executed_at, fills.tie_rank, fills.delivery_id
        ) as number
    from risk.current_deliveries(%(as_of)s) as delivered
    inner join risk.corrected_fills(%(as_of)s) as fills on delivered.delivery_id = fills.delivery_id
    inner join shown
        on
            delivered.account_id = shown.account_id
            and fills.symbol = shown.symbol
    where
        delivered.session_date = %(session_date)s
        and fills.session_date = %(session_date)s
),

side_conflicts as (
    select
        numbered.account_id,
        numbered.symbol,
        cardinality(numbered.side_conflicts) as fill_count,
        concat(
            case numbered.side when 'T' then 'a short sale (T) of ' else 'a cover (C) of ' end,
            trim_scale(numbered.quantity), ' at ',
            to_char(numbered.executed_at at time zone %(exchange_zone)s, 'HH24:MI:SS'),
            ', fill ' || numbered.fill_key, ', line ', numbered.line_number,
            case numbered.side when 'T' then ', while long' else ', beyond the short position' end
        ) as fill
    from numbered
    where numbered.number = numbered.side_conflicts[1]
),

latest_marks as (
    select distinct on (marks.symbol)
        marks.symbol,
        marks.price,
        case
            when marks.symbol ~ '^@[A-Z]{6}$' and marks.currency = substr(marks.symbol, 2, 3)
                then substr(marks.symbol, 5, 3)
            else marks.currency
        end as currency
    from risk.marks
    where
        marks.session_date = %(session_date)s
        and marks.recorded_at <= %(as_of)s
    order by
        marks.symbol asc,
        marks.mark_id desc
),

unusable_marks as (
    select
        latest_marks.symbol,
        latest_marks.currency,
        string_agg(distinct positions.currency, ' and ' order by positions.currency) as booked_currencies,
        count(distinct positions.account_id) as account_count
    from latest_marks
    inner join derived.positions on latest_marks.symbol = positions.symbol
    where
        positions.session_date = %(session_date)s
        and positions.currency not in (latest_marks.currency, 'XXX')
        and latest_marks.price is not null
    group by
        latest_marks.symbol,
        latest_marks.currency
),

incomplete as (
    select
        daily_pnl.account_id,
        daily_pnl.incomplete_reason
    from derived.daily_pnl
    where
        daily_pnl.session_date = %(session_date)s
        and daily_pnl.incomplete_reason is not null
),

findings as (
    select
        'totals_agree' as check_name,
        concat(differing.account_id, ' ', differing.session_date) as subject,
        concat('gross ', differing.gross_difference_usd, ', net ', differing.net_difference_usd) as observed,
        concat(
            'Account ', differing.account_id, ', session ', differing.session_date, ': our gross ',
            to_char(differing.our_gross_usd, %(money)s), ' and net ', to_char(differing.our_net_usd, %(money)s),
            ', the source''s own books ', to_char(differing.their_gross_usd, %(money)s), ' and ',
            to_char(differing.their_net_usd, %(money)s), ': a difference of ',
            to_char(differing.gross_difference_usd, %(money)s), ' gross, ',
            to_char(differing.net_difference_usd, %(money)s),
            ' net.', coalesce(multiplier_hints.hint, ' Ask the source which fills or fees are not in the delivery.')
        ) as message
    from differing
    left join multiplier_hints
        on
            differing.account_id = multiplier_hints.account_id
            and differing.session_date = multiplier_hints.session_date
    union all
    select
        'splits_stated' as check_name,
        suspected.subject,
        suspected.ratio as observed,
        suspected.sentence as message
    from
        unnest(%(split_subjects)s::text[], %(split_ratios)s::text[], %(split_sentences)s::text[])
            as suspected (subject, ratio, sentence)
    union all
    select
        'sides_fit' as check_name,
        concat(side_conflicts.account_id, ' ', side_conflicts.symbol) as subject,
        concat(side_conflicts.fill_count, ' executions') as observed,
        concat(
            'Account ', side_conflicts.account_id, ', ', side_conflicts.symbol, ': ', side_conflicts.fill_count,
            ' execution(s) contradict the position they met, first ', side_conflicts.fill,
            '. The position was taken as it is; check the sides at the source.'
        ) as message
    from side_conflicts
    union all
    select
        'sides_fit' as check_name,
        '(others)' as subject,
        concat(count(*), ' more') as observed,
        concat(count(*), ' more accounts and symbols with such executions are not listed.') as message
    from conflicting
    where conflicting.place > %(shown_count)s
    having count(*) > 0
    union all
    select
        'marks_usable' as check_name,
        unusable_marks.symbol as subject,
        concat(unusable_marks.currency, ', not ', unusable_marks.booked_currencies) as observed,
        concat(
            'The closing price of ', unusable_marks.symbol, ' on ', %(session_date)s::date, ' is in ',
            unusable_marks.currency, ', and ', unusable_marks.account_count, ' account(s) hold or traded it in ',
            unusable_marks.booked_currencies, ', as executions, an instruments file or its name say: it is not used. ',
            'Correct it, or state the currency in an instruments file.'
        ) as message
    from unusable_marks
    union all
    select
        'books_complete' as check_name,
        incomplete.account_id as subject,
        'no result' as observed,
        concat(
            'Account ', incomplete.account_id, ' has no result for ', %(session_date)s::date,
            ', so it is in no total and no feature of that session. ', incomplete.incomplete_reason
        ) as message
    from incomplete
),

checks as (
    select
        'totals_agree' as check_name,
        concat(count(sides.account_id), ' account-sessions compared') as observed,
        'The books agree with the source''s own to the cent.' as message
    from sides
    union all
    values
    ('sides_fit', '0 executions', 'Every side fits the position it met.'),
    ('splits_stated', 'none suspected', 'No carried position looks like a split that is not stated.'),
    ('marks_usable', 'none in another currency', 'Every closing price is in the currency of its symbol.'),
    ('books_complete', 'all complete', 'Every price, multiplier and rate that the session needs is known.')
),

found as (
    select
        findings.check_name,
        findings.subject,
        false as has_passed,
        findings.observed,
        findings.message
    from findings
    union all
    select
        checks.check_name,
        '' as subject,
        true as has_passed,
        checks.observed,
        checks.message
    from checks
    where not exists (select from findings where findings.check_name = checks.check_name)
),

deleted as (
    delete from results.quality_results
    using checks
    where
        quality_results.run_id = %(run_id)s
        and quality_results.check_name = checks.check_name
        and not exists (
            select from found
            where
                found.check_name = quality_results.check_name
                and found.subject = quality_results.subject
        )
)

insert into results.quality_results (
    run_id,
    check_name,
    subject,
    severity,
    has_passed,
    observed,
    message
)
select
    %(run_id)s,
    found.check_name,
    found.subject,
    'warn' as severity,
    found.has_passed,
    found.observed,
    found.message
from found
order by found.check_name, found.subject
on conflict (run_id, check_name, subject) do update
    set
        severity = excluded.severity,
        has_passed = excluded.has_passed,
        observed = excluded.observed,
        message = excluded.message;
