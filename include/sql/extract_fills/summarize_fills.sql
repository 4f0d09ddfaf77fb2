-- Brings the index of fills up to date with what a load has added; ranges not summarized yet are always read.
-- Grain: one row. Reads: fills. Writes: -. Binds: -. Money: -. Rerun: changes nothing.
select risk.summarize_fills() as range_count;
