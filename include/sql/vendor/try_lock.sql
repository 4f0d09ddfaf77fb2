-- Lets one task at a time, on whichever machine, call a vendor.
-- Grain: one row. Binds: vendor.
-- Rerun: the lock is the connection's, until it is released or the connection ends.
select pg_try_advisory_lock(hashtextextended('vendor ' || %(vendor)s, 0)) as is_locked;
