-- Names the accounts from which something is missing, not posted yet, new or not to be expected.
-- Grain: one row per account. Reads: delivery_states, stated_accounts. Writes: -. Money: -. Rerun: reads only.
-- Binds: session_date, as_of, active_within, legacy_suffix.
select
    states.account_id as subject,
    states.state as observed,
    case
        when states.state = 'missing'
            then
                concat(
                    'Account ', states.account_id, ' is missing: nothing was delivered for it, though other accounts ',
                    'were. Its limit rests on earlier sessions; ask the source.'
                )
    end as missing_finding,
    case
        when states.state = 'not posted' and states.is_expected
            then
                concat(
                    'Account ', states.account_id, ' is not posted yet: its file was published empty at ',
                    to_char(states.published_at at time zone 'America/New_York', 'YYYY-MM-DD HH24:MI'),
                    ' New York, less than 24 hours after the close. This is not a day without trades; run again later.'
                )
    end as posted_finding,
    case
        when states.is_new
            then
                concat(
                    'Account ', states.account_id, ' is new: it traded and had no executions within the last ',
                    %(active_within)s, ' sessions. Check that it is one of ours and set its base limit.'
                )
    end as new_finding,
    case
        when stated.is_disabled and states.loaded_count > 0
            then
                concat(
                    'Account ', states.account_id, ' is disabled and traded all the same: it gets no limit. ',
                    'Ask who traded, or correct its row in accounts*.csv.'
                )
    end as disabled_finding
from delivery_states(%(session_date)s, %(as_of)s, %(active_within)s, %(legacy_suffix)s) as states
left join stated_accounts(%(session_date)s, %(as_of)s) as stated on states.account_id = stated.account_id
order by states.account_id;
