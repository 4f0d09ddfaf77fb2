-- Lets a fill leave its currency unsaid: it is the instrument's own then, which instruments*.csv may state later.
-- Grain: -. Reads: -. Writes: fills. Binds: -. Money: -. Rerun: applied once.
alter table fills alter column currency drop not null;
