-- Tells the runs that were asked what was known at an instant of the past.
-- Grain: one row per session and revision. Reads: -. Writes: runs. Binds: -. Money: -. Rerun: applied once.
-- Their books are computed apart and never touch the caches; no other run builds on what they recommend or forecast.
alter table runs add column is_point_in_time boolean not null default false;
