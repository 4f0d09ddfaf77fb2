-- Tells whether the feed brought anything at all for the session.
-- Grain: one row. Reads: delivery_states. Writes: -. Money: -. Rerun: reads only.
-- Binds: session_date, as_of, active_within, legacy_suffix.
select
    '' as subject,
    concat(
        count(*) filter (where states.state not in ('feed broken', 'account disabled')), ' deliveries, ',
        count(*) filter (where states.is_expected), ' accounts expected'
    ) as observed,
    case
        when count(*) filter (where states.state = 'feed broken') > 0
            then
                concat(
                    'The feed is broken: nothing was delivered for any account of session ', %(session_date)s::date,
                    ', and ', count(*) filter (where states.is_expected), ' accounts are expected (',
                    string_agg(states.account_id, ', ') filter (where states.is_expected),
                    '). Ask the source, then clear extract_fills.'
                )
    end as finding
from delivery_states(%(session_date)s, %(as_of)s, %(active_within)s, %(legacy_suffix)s) as states;
