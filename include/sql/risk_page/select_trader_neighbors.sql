-- Reads the accounts before and after one by name, of those that are booked.
-- Grain: one row; null = there is none. Reads: daily_pnl. Binds: account_id.
select
    (
        select max(daily_pnl.account_id)
        from derived.daily_pnl
        where daily_pnl.account_id < %(account_id)s
    ) as previous_account_id,
    (
        select min(daily_pnl.account_id)
        from derived.daily_pnl
        where daily_pnl.account_id > %(account_id)s
    ) as next_account_id;
