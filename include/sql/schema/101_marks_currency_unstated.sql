-- Lets a mark leave its currency unsaid: it is the instrument's own then.
-- Grain: -. Reads: -. Writes: marks. Binds: -. Money: -. Rerun: applied once.
alter table marks alter column currency drop not null;
