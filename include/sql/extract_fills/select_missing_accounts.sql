-- Lists the accounts whose executions of a session a morning run waits for.
-- Grain: one row per account. Reads: loads, delivery_states. Writes: -. Money: -. Rerun: reads only.
-- Binds: session_date, load_id, active_within, legacy_suffix.
-- Awaited: an account that traded recently and of which the load knew nothing, or an answer that is still empty.
select states.account_id
from risk.loads
cross join risk.delivery_states(%(session_date)s, loads.recorded_at, %(active_within)s, %(legacy_suffix)s) as states
where
    loads.load_id = %(load_id)s
    and states.is_expected
    and states.state in ('missing', 'not posted', 'withdrawn', 'feed broken')
order by states.account_id;
