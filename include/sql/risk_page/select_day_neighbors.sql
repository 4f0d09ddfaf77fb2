-- Reads whether an account has ever been booked, and the booked sessions around a session.
-- Grain: one row; null = there is none. Reads: daily_pnl. Binds: account_id, session_date.
select
    (
        select max(daily_pnl.session_date)
        from derived.daily_pnl
        where
            daily_pnl.account_id = %(account_id)s
            and daily_pnl.session_date < %(session_date)s
    ) as earlier_session,
    (
        select min(daily_pnl.session_date)
        from derived.daily_pnl
        where
            daily_pnl.account_id = %(account_id)s
            and daily_pnl.session_date > %(session_date)s
    ) as later_session,
    exists(
        select
        from derived.daily_pnl
        where daily_pnl.account_id = %(account_id)s
    ) as has_traded;
