-- Reads the database clock: it alone decides whether a decision is in time.
-- Grain: one row.
select clock_timestamp() as instant;
