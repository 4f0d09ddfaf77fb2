-- Lets the next task call a vendor.
-- Grain: one row. Binds: vendor.
select pg_advisory_unlock(hashtextextended('vendor ' || %(vendor)s, 0)) as is_unlocked;
