-- Adds up what recommendations were worth by what people made of them.
-- Grain: one row per decision, by name. Reads: decided_entries. Writes: -. Binds: session_date, as_of.
-- Money: US dollars, gains positive. Rerun: reads only.
select
    entries.decision,
    count(*) as entry_count,
    count(*) filter (where entries.cut_ratio > 0) as cut_count,
    sum(entries.benefit_usd) as net_usd
from decided_entries(%(session_date)s, %(as_of)s) as entries
group by entries.decision
order by entries.decision asc;
