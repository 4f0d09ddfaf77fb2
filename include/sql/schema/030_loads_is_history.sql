-- Tells the loads that import a history: their deliveries count from when the source published them.
-- Grain: one row per load. Reads: -. Writes: loads. Binds: -. Money: -. Rerun: applied once.
alter table loads add column is_history boolean not null default false;
