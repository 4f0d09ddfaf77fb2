-- Adds up what past recommendations were worth: by account, by what people decided, and by session.
-- Grain: one row per account_id, per decision and per effective_session, the other two keys null.
-- Reads: decided_cut_outcomes. Binds: session_date, as_of. Money: US dollars, gains positive.
select
    entries.account_id,
    entries.decision,
    entries.effective_session,
    count(*) as entry_count,
    count(*) filter (where entries.cut_ratio > 0) as cut_count,
    avg(entries.cut_ratio) as average_cut_ratio,
    coalesce(sum(entries.benefit_usd) filter (where entries.benefit_usd > 0), 0) as prevented_usd,
    coalesce(sum(entries.benefit_usd) filter (where entries.benefit_usd < 0), 0) as forgone_usd,
    sum(entries.benefit_usd) as net_usd
from risk.decided_cut_outcomes(%(session_date)s, %(as_of)s) as entries
group by grouping sets ((entries.account_id), (entries.decision), (entries.effective_session))
order by
    entries.account_id asc,
    entries.decision asc,
    entries.effective_session asc;
