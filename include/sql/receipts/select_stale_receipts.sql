-- Lists the account-sessions without a receipt, or with one made with other limits or thresholds, with their lows.
-- Grain: one row per account and session, by session and account. Reads: running_lows, limit_receipts, sessions.
-- Binds: account_ids, inputs (arrays of equal length: the hash of each account's limits and thresholds).
-- Money: US dollars, exact; running_lows_usd are losses, positive, ascending.
select
    running_lows.account_id,
    running_lows.session_date,
    wanted.inputs_sha256,
    running_lows.running_lows_usd,
    running_lows.low_instants,
    running_lows.loss_from_top_usd,
    running_lows.close_usd,
    coalesce(running_lows.first_fill_at, sessions.closes_at) as first_at,
    greatest(running_lows.last_fill_at, sessions.closes_at) as last_at,
    sessions.closes_at
from derived.running_lows
inner join unnest(%(account_ids)s::text[], %(inputs)s::text[]) as wanted (account_id, inputs_sha256)
    on running_lows.account_id = wanted.account_id
inner join risk.sessions on running_lows.session_date = sessions.session_date
left join derived.limit_receipts
    on
        running_lows.account_id = limit_receipts.account_id
        and running_lows.session_date = limit_receipts.session_date
        and wanted.inputs_sha256 = limit_receipts.inputs_sha256
where limit_receipts.account_id is null
order by
    running_lows.session_date asc,
    running_lows.account_id asc;
