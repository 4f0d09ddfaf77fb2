-- Finds up to when and through which session the books are the newest knowledge.
-- Grain: one row. Reads: runs, daily_pnl. Binds: session_date, as_of.
-- Not this run's as_of but the newest of any run: whichever of two runs finishes last leaves the same rows.
select
    greatest(%(as_of)s, (select max(runs.as_of) from risk.runs)) as as_of,
    greatest(%(session_date)s, (select max(daily_pnl.session_date) from derived.daily_pnl)) as through_session_date;
