-- Reads the running P&L of the account-sessions that past recommendations were for.
-- Grain: one row per recommendation that counts, whose session's books are complete and that has no outcome yet.
-- Reads: scored_recommendations, running_lows, cut_outcomes. Binds: as_of.
-- Money: US dollars, exact; running_lows_usd are losses, positive, ascending.
select
    counted.account_id,
    counted.effective_session,
    counted.run_id,
    counted.reported_at,
    counted.is_live,
    counted.base_limit_usd,
    counted.cut_ratio,
    counted.limit_usd,
    running_lows.running_lows_usd,
    running_lows.close_usd
from risk.scored_recommendations(%(as_of)s) as counted
inner join derived.running_lows
    on
        counted.account_id = running_lows.account_id
        and counted.effective_session = running_lows.session_date
left join derived.cut_outcomes
    on
        counted.account_id = cut_outcomes.account_id
        and counted.effective_session = cut_outcomes.effective_session
where cut_outcomes.account_id is null
order by
    counted.effective_session asc,
    counted.account_id asc;
