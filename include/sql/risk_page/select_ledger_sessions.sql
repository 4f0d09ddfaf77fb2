-- Adds up what the recommendations for each session were worth.
-- Grain: one row per effective session, ascending. Reads: decided_entries. Writes: -.
-- Binds: session_date, as_of. Money: US dollars, gains positive. Rerun: reads only.
select
    entries.effective_session,
    count(*) as entry_count,
    count(*) filter (where entries.cut_ratio > 0) as cut_count,
    coalesce(sum(entries.benefit_usd) filter (where entries.benefit_usd > 0), 0) as prevented_usd,
    coalesce(sum(entries.benefit_usd) filter (where entries.benefit_usd < 0), 0) as forgone_usd,
    sum(entries.benefit_usd) as net_usd
from decided_entries(%(session_date)s, %(as_of)s) as entries
group by entries.effective_session
order by entries.effective_session asc;
