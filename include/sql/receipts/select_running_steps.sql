-- Reads the steps of the account-sessions that the transaction has followed.
-- Grain: one row per fill, in the order of the books. Reads: running_steps. Money: US dollars, exact.
select
    running_steps.account_id,
    running_steps.session_date,
    running_steps.executed_at,
    running_steps.is_time_unknown,
    running_steps.symbol,
    running_steps.price,
    running_steps.signed_quantity,
    running_steps.held_quantity,
    running_steps.has_gapped,
    running_steps.fees_usd,
    running_steps.change_usd
from pg_temp.running_steps
order by
    running_steps.account_id asc,
    running_steps.session_date asc,
    running_steps.place asc;
