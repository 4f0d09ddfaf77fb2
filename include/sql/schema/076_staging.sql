-- Room for a load's working tables, which are made and dropped in its one transaction.
-- Grain: -. Reads: -. Writes: -. Binds: -. Money: -. Rerun: applied once.
-- Temporary tables would do but for this: several processes of Postgres read an ordinary table at once.
create schema staging;
