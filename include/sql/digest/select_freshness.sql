-- Finds the newest session with fills in the books, and when the newest delivery was recorded.
-- Grain: one row. Reads: daily_pnl, deliveries.
select
    (
        select max(daily_pnl.session_date)
        from derived.daily_pnl
        where daily_pnl.fill_count > 0
    ) as newest_session_date,
    (select max(deliveries.recorded_at) from risk.deliveries) as recorded_at;
