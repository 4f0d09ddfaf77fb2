-- Finds positions that were open at a close and that the books of the next session do not carry on.
-- Grain: one row per account and such next session. Reads: daily_pnl, positions, sessions. Writes: -. Money: -.
-- Binds: through_session_date. Rerun: reads only.
select distinct
    positions.account_id,
    following.session_date
from derived.positions
inner join risk.sessions as closing
    on positions.session_date = closing.session_date
inner join risk.sessions as following
    on following.session_number = closing.session_number + 1
left join derived.daily_pnl as carried
    on
        positions.account_id = carried.account_id
        and following.session_date = carried.session_date
where
    positions.quantity <> 0
    and following.session_date <= %(through_session_date)s
    and carried.account_id is null
order by following.session_date, positions.account_id;
