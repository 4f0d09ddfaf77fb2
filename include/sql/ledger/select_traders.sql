-- Adds up what the recommendations for each trader were worth.
-- Grain: one row per account, by name. Reads: decided_entries. Writes: -. Binds: session_date, as_of.
-- Money: US dollars, gains positive. Rerun: reads only.
select
    entries.account_id,
    count(*) as entry_count,
    count(*) filter (where entries.cut_ratio > 0) as cut_count,
    avg(entries.cut_ratio) as average_cut_ratio,
    coalesce(sum(entries.benefit_usd) filter (where entries.benefit_usd > 0), 0) as prevented_usd,
    coalesce(sum(entries.benefit_usd) filter (where entries.benefit_usd < 0), 0) as forgone_usd,
    sum(entries.benefit_usd) as net_usd
from decided_entries(%(session_date)s, %(as_of)s) as entries
group by entries.account_id
order by entries.account_id asc;
