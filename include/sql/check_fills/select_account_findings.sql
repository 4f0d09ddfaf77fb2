-- Checks which accounts delivered: none at all, missing, withdrawn, not posted yet, new, disabled and trading, or named
-- as another one but for case and blanks.
-- Grain: one row per check and account; one for feed_received; of accounts_distinct one per name in several spellings.
-- Reads: delivery_states, current_deliveries, current_accounts, withdrawn_deliveries, withdrawals.
-- Binds: session_date, as_of, active_within, legacy_suffix.
with withdrawn as (
    select distinct on (known.account_id)
        known.account_id,
        withdrawals.author,
        withdrawals.reason
    from risk.withdrawn_deliveries(%(as_of)s) as known
    inner join risk.withdrawals on known.withdrawal_id = withdrawals.withdrawal_id
    where known.session_date = %(session_date)s
    order by
        known.account_id asc,
        withdrawals.withdrawal_id desc
),

states as (
    select
        found.account_id,
        found.state,
        found.is_expected,
        found.is_new,
        found.published_at,
        stated.is_disabled and found.loaded_count > 0 as is_trading_disabled,
        withdrawn.author,
        withdrawn.reason
    from risk.delivery_states(%(session_date)s, %(as_of)s, %(active_within)s, %(legacy_suffix)s) as found
    left join risk.current_accounts(%(session_date)s, %(as_of)s) as stated on found.account_id = stated.account_id
    left join withdrawn on found.account_id = withdrawn.account_id
),

named as (
    select distinct known.account_id
    from risk.current_deliveries(%(as_of)s) as known
    union
    select stated.account_id
    from risk.current_accounts(%(session_date)s, %(as_of)s) as stated
),

alike as (
    select
        string_agg(named.account_id, ' and ' order by named.account_id collate "C") as account_ids, -- noqa: RF03
        min(named.account_id collate "C") as first_account_id -- noqa: RF03
    from named
    group by replace(lower(named.account_id), ' ', '')
    having
        count(*) > 1
        and bool_or(named.account_id in (select states.account_id from states))
)

select
    'accounts_distinct' as check_name,
    alike.first_account_id as subject,
    alike.account_ids as observed,
    concat(
        alike.account_ids, ' differ only in case or blanks and count as different accounts. If they are one, say so ',
        'in accounts*.csv (column Formerly), or correct the name at its source.'
    ) as finding
from alike
union all
select
    'feed_received' as check_name,
    '' as subject,
    concat(
        count(*) filter (where states.state not in ('feed broken', 'account disabled')), ' deliveries, ',
        count(*) filter (where states.is_expected), ' accounts expected'
    ) as observed,
    case
        when count(*) filter (where states.state = 'feed broken') > 0
            then
                concat(
                    'No fills received for any account for ', %(session_date)s::date, '; ',
                    count(*) filter (where states.is_expected), ' accounts expected: ',
                    string_agg(states.account_id, ', ' order by states.account_id) filter (where states.is_expected),
                    '. Contact the source, then clear task extract_fills.'
                )
    end as finding
from states
union all
select
    checks.check_name,
    states.account_id as subject,
    states.state as observed,
    case when checks.is_found then concat(states.account_id, checks.problem) end as finding
from states
cross join lateral (
    values
    (
        'accounts_delivered',
        states.state in ('missing', 'withdrawn'),
        case
            when states.state = 'missing'
                then
                    concat(
                        ': no fills received for ', %(session_date)s::date, ' (others received). Contact the source.'
                    )
            else
                concat(
                    ': what was delivered for ', %(session_date)s::date, ' is withdrawn by ', states.author, ' (',
                    states.reason, '). It counts as missing until other content is delivered.'
                )
        end
    ),
    (
        'accounts_posted',
        states.state = 'not posted' and states.is_expected,
        concat(
            ': not posted yet. Its file was published empty at ',
            to_char(states.published_at at time zone %(exchange_zone)s, 'YYYY-MM-DD HH24:MI'),
            ' ', %(exchange_city)s, ', less than 24 hours after the close. Run again later.'
        )
    ),
    (
        'accounts_known',
        states.is_new,
        concat(
            ': new account, no fills in the last ', %(active_within)s,
            ' sessions. Confirm that it is ours and set its base limit.'
        )
    ),
    (
        'accounts_enabled',
        states.is_trading_disabled,
        ': traded while disabled; it gets no limit. Find out who traded, or correct its row in accounts*.csv.'
    )
) as checks (check_name, is_found, problem);
