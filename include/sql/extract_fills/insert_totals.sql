-- Stores what a source's own books say, where it is not what they said last.
-- Grain: one row per account, session and publication. Reads: staged_totals, totals, sessions. Writes: totals.
-- Binds: load_id; the database says when each was recorded.
-- Money: US dollars, gains positive. Rerun: stores nothing.
-- Returns the file of each row stored. A file with a row per trade says their sums. Days without trading are left
-- out: the vendor publishes empty versions of them.
with given as (
    select
        staged_totals.file_name,
        min(staged_totals.line_number) as line_number,
        staged_totals.session_date,
        staged_totals.account_id,
        sum(staged_totals.gross_pnl_usd) as gross_pnl_usd,
        sum(staged_totals.net_pnl_usd) as net_pnl_usd,
        staged_totals.published_at
    from pg_temp.staged_totals
    inner join risk.sessions on staged_totals.session_date = sessions.session_date
    group by
        staged_totals.file_name,
        staged_totals.session_date,
        staged_totals.account_id,
        staged_totals.published_at
),

known as (
    select distinct on (totals.account_id, totals.session_date, totals.published_at)
        totals.account_id,
        totals.session_date,
        totals.gross_pnl_usd,
        totals.net_pnl_usd,
        totals.published_at
    from risk.totals
    order by
        totals.account_id asc,
        totals.session_date asc,
        totals.published_at asc,
        totals.total_id desc
)

insert into risk.totals (
    load_id,
    file_name,
    line_number,
    session_date,
    account_id,
    gross_pnl_usd,
    net_pnl_usd,
    published_at
)
select
    %(load_id)s,
    given.file_name,
    given.line_number,
    given.session_date,
    given.account_id,
    given.gross_pnl_usd,
    given.net_pnl_usd,
    given.published_at
from given
left join known
    on
        given.account_id = known.account_id
        and given.session_date = known.session_date
        and given.published_at is not distinct from known.published_at
where
    (known.gross_pnl_usd, known.net_pnl_usd) is distinct from (given.gross_pnl_usd, given.net_pnl_usd)
order by
    given.session_date,
    given.published_at,
    given.account_id
returning totals.file_name;
