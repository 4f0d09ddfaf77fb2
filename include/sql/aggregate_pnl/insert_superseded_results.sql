-- Keeps the results of account-sessions that are delivered again, before they are computed again.
-- Grain: one row per account and session that has a result from fills. Reads: daily_pnl, book_inputs.
-- Writes: superseded_results. Binds: run_id, as_of, account_ids, session_dates (arrays of equal length).
-- Money: US dollars. Inputs that only belong to another name now are no new ones.
insert into risk.superseded_results (
    run_id,
    as_of,
    account_id,
    session_date,
    input_fingerprint,
    total_pnl_usd
)
select
    %(run_id)s,
    %(as_of)s,
    daily_pnl.account_id,
    daily_pnl.session_date,
    daily_pnl.input_fingerprint,
    daily_pnl.total_pnl_usd
from unnest(%(account_ids)s::text[], %(session_dates)s::date[]) as changed (account_id, session_date)
inner join derived.daily_pnl
    on
        changed.account_id = daily_pnl.account_id
        and changed.session_date = daily_pnl.session_date
where
    daily_pnl.input_fingerprint is not null
    and not exists (
        select
        from risk.book_inputs(%(as_of)s) as inputs
        where
            inputs.session_date = any(%(session_dates)s::date[])
            and inputs.session_date = daily_pnl.session_date
            and inputs.input_fingerprint = daily_pnl.input_fingerprint
    )
order by
    daily_pnl.session_date asc,
    daily_pnl.account_id asc;
